"""A person goes out of every part, whatever clock has dated what is held, and the proof says so only where it is so."""

from pathlib import Path

import pytest

from feedback.applying import apply_lists
from feedback.erasure import erase_shopper
from feedback.example_log import ExampleLog, open_example_log
from feedback.example_settings import ExampleLogSettings
from feedback.memory_store import MemoryStore
from feedback.person_erasure import PersonErasure
from feedback.settings import ProfileSettings
from tests.unit.feedback.behavior import HOUR, START, asked, click_join, did, lists_of
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.feedback import ShopperErased

SETTINGS = ProfileSettings(kind="memory")
ERASED = ShopperErased(shopper="ann", at=START + 60)
YEARS = 20_000 * HOUR


class Loop:
    """All parts of the click loop over one store. `now` is seconds after the start of all tests."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.log: ExampleLog = open_example_log(ExampleLogSettings(url=str(folder)), self.store)
        self.now = 50.0
        self.erasure = PersonErasure(self.store, SETTINGS, self.log, keep_days=1, clock=lambda: START + self.now)

    def hear(self, queries: list[BehaviorQuery], events: list[BehaviorEvent]) -> None:
        lists = list(lists_of([click_join(self.store, now=START + self.now).join(queries, events)]).values())
        apply_lists(self.store, lists, SETTINGS, START + self.now)
        self.log.write(lists, f"{self.now}")

    def naming(self, shopper: str) -> set[str]:
        """The states that hold the name, and the rows of the log."""
        states = self.store.states().items()
        named = {key for key, kept in states if shopper in key or shopper.encode() in kept.value}
        rows = {one.query_id for day in self.log.days() for one in self.log.read(day, day) if one.shopper == shopper}
        return named | rows


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(tmp_path)


@pytest.mark.parametrize("ahead", [0, 120, HOUR, YEARS])
def test_what_a_clock_that_is_ahead_has_dated_goes_too(loop: Loop, ahead: float) -> None:
    loop.hear(
        [asked("q", "a", "b", at=ahead), asked("other", "a", shopper="bob")],
        [
            *(did("q", "a", at=ahead + 10), did("other", "a", at=ahead + 10), did(None, "c", at=ahead + 10)),
            did("other", "a", at=20, shopper="bob"),
        ],
    )
    loop.now = 61
    report = loop.erasure.erase(ERASED)

    assert loop.naming("ann") == {"erased:ann"}
    assert set(report.found_afterwards.values()) == {0}
    assert loop.naming("bob") >= {"list:other", "counted:other", "shopper:bob", "other"}


def test_what_came_between_the_shops_erasure_and_the_loops_goes_too(loop: Loop) -> None:
    erase_shopper(loop.store, ERASED, SETTINGS, START + 60)
    loop.hear([asked("q", "a", at=120)], [did("q", "a", at=130)])  # by a clock ahead, and on its way meanwhile
    loop.now = 62
    assert loop.erasure.erase(ERASED).removed == {"shopper": 1, "lists": 1, "counted": 1, "list": 1, "example": 1}
    assert loop.naming("ann") == {"erased:ann"}


def test_what_was_done_well_after_an_erasure_that_waited_stays(loop: Loop) -> None:
    loop.now = HOUR
    loop.hear([asked("q", "a"), asked("later", "b", at=400)], [did("q", "a"), did("later", "b", at=410)])
    report = loop.erasure.erase(ERASED)

    assert loop.naming("ann") >= {"list:later", "counted:later", "lists:ann", "shopper:ann", "later"}
    assert loop.naming("ann").isdisjoint({"list:q", "counted:q", "q"})
    assert set(report.found_afterwards.values()) == {0}


def test_an_erasure_that_is_read_again_takes_nothing_of_what_came_later(loop: Loop) -> None:
    loop.erasure.erase(ERASED)
    loop.now = 200
    loop.hear([asked("q", "a", at=100)], [did("q", "a", at=110)])
    held = loop.naming("ann")

    report = loop.erasure.erase(ERASED)

    assert loop.naming("ann") == held - {"traffic:ann"} >= {"list:q", "shopper:ann", "counted:q", "lists:ann", "q"}
    assert set(report.removed.values()) == set(report.found_afterwards.values()) == {0}


def test_what_is_dated_ahead_of_the_proof_is_found(loop: Loop) -> None:
    loop.erasure.erase(ERASED)
    loop.hear([asked("q", "a", at=200)], [did("q", "a", at=210)])

    assert loop.erasure.erase(ERASED).found_afterwards == {
        "shopper": 1, "lists": 1, "counted": 1, "list": 1, "example": 1,
    }  # fmt: skip
    again = loop.erasure.erase(ShopperErased(shopper="ann", at=ERASED.at + 1))
    assert set(again.found_afterwards.values()) == {0}


def test_a_sign_of_life_comes_with_each_file_and_with_the_lists(loop: Loop) -> None:
    signs: list[str] = []
    for number in range(5):
        loop.now = number
        loop.hear([asked(f"q{number}", "a")], [])
    loop.erasure.erase(ERASED, lambda: signs.append("life"))
    assert len(signs) == 5 + 1
