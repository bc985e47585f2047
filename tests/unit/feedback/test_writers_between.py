"""Another writer changes the same states between what is read to name the keys and the update."""

from collections.abc import Callable, Sequence

from feedback.applying import apply_lists
from feedback.erasure import erase_shopper
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from tests.unit.feedback.lists import HOUR, NOW, joined
from topics.feedback import JoinedList, ShopperErased

SETTINGS = ProfileSettings(kind="memory")
LATER = NOW + HOUR


class Interrupted(MemoryStore):
    """After the first read somebody else does something."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] | None = None

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        states = super().read(keys)
        if self.then is not None:
            then, self.then = self.then, None
            then()
        return states


def apply(store: MemoryStore, *lists: JoinedList) -> None:
    apply_lists(store, lists, SETTINGS, LATER)


def test_an_action_that_comes_between_is_a_partner_of_co_clicks() -> None:
    store = Interrupted()
    store.then = lambda: apply(store, joined("q1", "a", ("click", "a", 1)))
    apply(store, joined("q2", "b", ("click", "b", 2)))
    assert [list(each) for each in StateReader(store, SETTINGS).co_clicked(["a", "b"], LATER)] == [["b"], ["a"]]


def test_what_another_writer_counted_of_the_same_list_is_taken_back_with_it() -> None:
    store = Interrupted()
    one = joined("q", "abc", ("click", "c", 1))
    store.then = lambda: apply(store, one)
    apply(store, one.model_copy(update={"suspect": "too fast", "revision": 9}))
    assert list(store.keys("product")) == []
    assert list(store.keys("shopper")) == []


def test_a_list_that_comes_between_is_erased_too() -> None:
    store = Interrupted()
    apply(store, joined("q1", "a", ("click", "a", 1)))
    store.then = lambda: apply(store, joined("q2", "b", ("click", "b", 2)))
    report = erase_shopper(store, ShopperErased(shopper="ann", at=NOW + 100), SETTINGS, LATER)
    assert report.removed == {"shopper": 1, "lists": 1, "counted": 2}
    assert list(store.keys("counted")) == []
