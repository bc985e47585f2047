"""Whose profile an action is in, and whether it counts, from the join to the states."""

from collections.abc import Sequence

from feedback.applying import apply_lists
from feedback.erasure import erase_shopper
from feedback.erasure_marks import Span
from feedback.list_erasure import erase_open_lists
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from tests.unit.feedback.behavior import HOUR, START, asked, click_join, did
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.feedback import JoinedList, ShopperErased

SETTINGS = ProfileSettings(kind="memory")
LATER = START + 48 * HOUR


class Loop:
    def __init__(self, **join: int) -> None:
        self.store = MemoryStore()
        self._join = click_join(self.store, join)

    def take(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> None:
        told = self._join.join(queries, events).messages
        apply_lists(self.store, [JoinedList.model_validate_json(value) for _, value in told], SETTINGS, LATER)

    def done(self, shopper: str) -> list[str]:
        return list(StateReader(self.store, SETTINGS).profile(shopper).recent(99).product_ids)

    def passed_over(self, shopper: str) -> list[str]:
        return list(StateReader(self.store, SETTINGS).profile(shopper).passed_over.product_ids)

    def counts(self, products: str) -> list[list[int]]:
        """Impressions and clicks."""
        read = StateReader(self.store, SETTINGS).read("", list(products), "", LATER)
        return read.products.totals[:, :2].tolist()


def test_what_somebody_else_did_in_a_list_counts_and_is_in_their_profile_alone() -> None:
    loop = Loop()
    loop.take([asked("q", "a", "b", "c")], [did("q", "a"), did("q", "b", shopper="bob")])

    assert (loop.done("ann"), loop.done("bob")) == (["a"], ["b"])
    assert (loop.passed_over("ann"), loop.passed_over("bob")) == (["c"], [])
    assert loop.counts("abc") == [[1, 1], [1, 1], [1, 0]]


def test_a_flood_of_somebody_else_counts_nothing_and_is_in_no_profile() -> None:
    loop = Loop()
    loop.take([asked("q", *"abcdefgh")], [])
    for number, product in enumerate("abcdefgh"):
        loop.take([], [did("q", product, number / 10, shopper="bob")])

    assert (loop.done("ann"), loop.done("bob"), loop.passed_over("ann")) == ([], [], [])
    assert loop.counts("ah") == [[0, 0], [0, 0]]


def test_what_a_flooded_list_told_as_lists_of_their_own_leaves_the_profile() -> None:
    loop = Loop(max_actions=3)
    loop.take([asked("q", "a")], [did("q", "x"), did("q", "y", 25 * HOUR)])
    before = loop.done("ann")
    loop.take([], [did("q", "z", number) for number in range(4)])

    assert (before, loop.done("ann")) == (["y", "x"], [])


def test_repeats_of_a_late_click_in_one_list_are_one_thing_done() -> None:
    loop = Loop()
    loop.take([asked("q", "a")], [])
    for number in range(5):
        loop.take([], [did("q", "a", 25 * HOUR + number)])

    assert loop.done("ann") == ["a"]


def test_what_is_done_in_the_list_of_an_erased_person_later_is_in_the_profile_of_whoever_did_it() -> None:
    loop, erased = Loop(), ShopperErased(shopper="ann", at=START + 100)
    loop.take([asked("q", *"abc")], [did("q", "a", 20), did("q", "b", 110), did("q", "b", 120, shopper="bob")])
    erase_shopper(loop.store, erased, SETTINGS, LATER)
    erase_open_lists(loop.store, "ann", Span(erased.at), LATER)
    loop.take([], [did("q", "c", 200, shopper="bob"), did("q", "a", 210)])

    assert (loop.done("bob"), loop.done("ann")) == (["c", "b"], ["a", "b"])


def test_the_ledger_of_a_list_whose_query_was_erased_names_its_shopper_no_more() -> None:
    loop, erased = Loop(), ShopperErased(shopper="ann", at=START + 100)
    loop.take([asked("q", *"abc")], [did("q", "a", 20), did("q", "b", 120, shopper="bob")])
    erase_shopper(loop.store, erased, SETTINGS, LATER)
    erase_open_lists(loop.store, "ann", Span(erased.at), LATER)
    loop.take([], [did("q", "c", 200, shopper="bob")])

    assert not [key for key in loop.store.keys("counted") if b"ann" in (loop.store.read([key])[0] or b"")]
    assert loop.store.read(["lists:ann", "shopper:ann"]) == [None, None]
