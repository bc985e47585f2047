"""Products that are acted upon in the same session."""

import pytest

from feedback.applying import apply_lists
from feedback.co_clicks import CoClick, added_co_clicks, co_clicks
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from tests.unit.feedback.lists import HOUR, NOW, joined
from topics.feedback import JoinedList

SETTINGS = ProfileSettings(kind="memory", co_clicked_items=3)


def co_clicked(product: str, *batches: list[JoinedList]) -> dict[str, float]:
    store = MemoryStore()
    for batch in batches:
        apply_lists(store, batch, SETTINGS, NOW + HOUR)
    return StateReader(store, SETTINGS).co_clicked([product], NOW)[0]


def test_products_of_one_session_go_together_within_a_list_and_across_lists() -> None:
    first = joined("q1", "abc", ("click", "a", -9), ("click", "b", -8))
    second = joined("q2", "cd", ("purchase", "d", -1))
    assert co_clicked("a", [first], [second]).keys() == {"b", "d"}
    assert co_clicked("d", [first, second]).keys() == {"a", "b"}
    assert co_clicked("c", [first, second]) == {}


@pytest.mark.parametrize("other", [{"session": "s-2"}, {"shopper": "bob"}, {"suspect": "too fast"}])
def test_those_of_other_sessions_and_shoppers_do_not(other: dict[str, str]) -> None:
    assert (
        co_clicked("a", [joined("q1", "a", ("click", "a", -9)), joined("q2", "b", ("click", "b", -8), **other)]) == {}
    )


def test_nothing_is_known_of_no_session() -> None:
    lists = [joined("q1", "a", ("click", "a", -9), session=""), joined("q2", "b", ("click", "b", -8), session="")]
    assert co_clicked("a", lists) == {}


def test_the_later_action_says_when_and_its_weight_fades() -> None:
    month = 30 * 24 * HOUR
    lists = [
        joined("q1", "ab", ("click", "a", -2 * month), ("click", "b", -month)),
        joined("q2", "c", ("click", "c", 0)),
    ]
    assert co_clicked("a", lists) == pytest.approx({"b": 0.5, "c": 1.0})


def test_the_strongest_are_kept_and_come_first() -> None:
    lists = [
        joined(
            f"q{number}", "a" + others, *[("click", product, -1.0) for product in "a" + others], session=f"s-{number}"
        )
        for number, others in enumerate(["b", "b", "b", "c", "c", "d", "d", "e"])
    ]
    strongest = co_clicked("a", lists[-1:], lists[:-1])
    assert list(strongest) == ["b", "d", "c"]
    assert list(strongest.values()) == pytest.approx([3.0, 2.0, 2.0])


def test_states_of_another_version_are_refused() -> None:
    state = added_co_clicks(None, [CoClick("a", "b", NOW, 1.0)], HOUR, 100)
    assert state is not None
    with pytest.raises(ValueError, match="version 9"):
        co_clicks(b"\x09" + state[1:], NOW, HOUR)
