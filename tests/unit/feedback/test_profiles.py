"""What a profile keeps of a shopper, and how much each of it counts."""

from typing import Any

import pytest

from feedback.profile_fold import occurrences_of, with_list
from feedback.profiles import EMPTY_PROFILE, Deed, Profile, decode_profile, encode_profile
from feedback.settings import ProfileSettings
from tests.unit.feedback.lists import HOUR, NOW, joined
from topics.feedback import JoinedList, ListAction

SETTINGS = ProfileSettings()


def profile_of(*lists: JoinedList, **bounds: Any) -> Profile:
    settings = SETTINGS.model_copy(update=bounds)
    profile = EMPTY_PROFILE
    for one in lists:
        profile = with_list(profile, one.query_id, one.session, occurrences_of(one), settings)
    return decode_profile(encode_profile(profile))


def test_actions_are_kept_newest_first_with_their_place_in_the_list() -> None:
    one = joined("q", "abc", ("click", "c", 5), ("purchase", "c", 60), ("view", "x", 70))
    recent = profile_of(one).recent(200)
    assert recent.product_ids == ["x", "c", "c"]
    assert recent.deeds.tolist() == [Deed.VIEW, Deed.PURCHASE, Deed.CLICK]
    assert (recent.at - NOW).tolist() == [70, 60, 5]
    assert recent.positions.tolist() == [0, 3, 3]


def test_what_was_seen_and_left_alone_was_passed_over() -> None:
    one = joined("q", "abcd", ("click", "c", 5), ("of their own", "d", 5))
    passed = profile_of(one).passed_over
    assert (passed.product_ids, passed.positions.tolist()) == (["a", "b"], [1, 2])
    reported = joined("q", "abcd", ("impression", "a", 1), ("impression", "c", 1), ("click", "c", 5))
    assert profile_of(reported).passed_over.product_ids == ["a"]
    assert profile_of(joined("q", "", ("click", "a", 1), at=None)).passed_over.product_ids == []


def test_a_later_revision_takes_the_place_of_an_earlier_one() -> None:
    before, after = joined("q", "ab"), joined("q", "ab", ("click", "a", 5))
    profile = profile_of(before, after, after)
    assert (profile.passed_over.product_ids, profile.recent(9).product_ids) == (["b"], ["a"])
    assert len(profile_of(before, after, after.model_copy(update={"suspect": "too fast"})).records) == 0


def test_looking_around_forgets_what_was_passed_over_near_to_what_was_acted_upon_last() -> None:
    first = joined("q", "abcdefghijklm", ("click", "g", 5))
    around = [joined(f"around-{number}", "xyz", at=NOW + 100 + number) for number in range(9)]
    for lists in ([first, *around], [*around, first]):
        passed = profile_of(*lists, passed_over_items=7).passed_over
        assert passed.product_ids == ["x", "y", "d", "e", "f", "h", "i"]
        assert profile_of(*lists, passed_over_items=3).passed_over.product_ids == ["d", "e", "f"]


def test_the_newest_are_kept_and_of_what_was_bought_or_hidden_more() -> None:
    lists = [
        joined(f"q{number}", f"{number}xy", ("click", str(number), number), at=NOW + number) for number in range(10)
    ]
    first = joined("q", "", ("purchase", "lamp", -5), ("hide", "sofa", -4), ("click", "sofa", -3))
    profile = profile_of(first, *lists, recent_items=3, passed_over_items=4, lasting_items=2)
    assert profile.recent(3).product_ids == ["9", "8", "7"]
    assert profile.passed_over.product_ids == ["x", "y", "x", "y"]
    assert profile.bought == {"lamp": NOW - 5}
    assert profile.hidden == {"sofa"}
    assert set(profile.product_ids) == {"9", "8", "7", "x", "y", "lamp", "sofa"}


def test_what_was_bought_twice_was_bought_last_when_it_was_bought_last() -> None:
    lists = [joined(f"q{at}", "", ("purchase", "lamp", at)) for at in (50, 90, 70)]
    assert profile_of(*lists).bought == {"lamp": NOW + 90}


def test_actions_count_less_with_time_and_those_of_the_session_apart() -> None:
    old = joined("q1", "", ("click", "a", -24 * HOUR), session="s-1")
    new = joined("q2", "", ("click", "b", 0), session="s-2")
    nameless = joined("q3", "", ("click", "c", 0), session="")
    recent = profile_of(old, new, nameless).recent(9)
    weights = dict(zip(recent.product_ids, recent.weights(NOW, 24 * HOUR).tolist(), strict=True))
    assert weights == pytest.approx({"a": 0.5, "b": 1.0, "c": 1.0})
    named = {name: dict(zip(recent.product_ids, recent.in_session(name).tolist(), strict=True)) for name in ("s-2", "")}
    assert named == {"s-2": {"a": False, "b": True, "c": False}, "": {"a": False, "b": False, "c": False}}


def test_how_long_a_product_was_looked_at_is_the_longest_that_is_known() -> None:
    dwells = [
        ListAction(event_id=f"e{number}", action="dwell", product_id="a", at=NOW + number, dwell_seconds=seconds)
        for number, seconds in enumerate([3.0, 12.5, 7.0])
    ]
    profile = profile_of(joined("q", "ab", actions=tuple(dwells)))
    assert profile.recent(9).dwell_seconds.tolist() == [12.5]


def test_a_profile_of_a_later_version_is_refused() -> None:
    state = encode_profile(profile_of(joined("q", "ab")))
    with pytest.raises(ValueError, match="version 9"):
        decode_profile(b"\x09" + state[1:])
