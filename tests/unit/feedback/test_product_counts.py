"""Counts of products as bytes, and the rates they give."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.query_classes import query_class
from feedback.statistics import Amounts, Counter, CountStates, smoothed_rates
from tests.unit.feedback.lists import HOUR, NOW

DAY = 24 * HOUR
STATES = CountStates([DAY, 30 * DAY])
Line = tuple[int, Counter, float, float]


def amounts(lines: Sequence[Line]) -> Amounts:
    """Of each: which state, counter, seconds after NOW, how much."""
    rows, counters, after, much = (np.array(column, np.float64) for column in zip(*lines, strict=True))
    none = np.full(len(lines), -1)
    return Amounts(rows.astype(np.int64), counters.astype(np.int64), NOW + after, much, none)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(list(Counter)[:4]), st.floats(-90 * DAY, 0), st.just(1.0)),
        min_size=1,
    ),
    st.data(),
)
def test_sums_are_the_same_in_any_order_and_batches(lines: list[Line], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(lines)))
    shuffled = data.draw(st.permutations(lines))
    states: list[bytes | None] = [None, None, None]
    for batch in (shuffled[:cut], shuffled[cut:]):
        states = STATES.added(states, amounts(batch)) if batch else states
    counts = STATES.counts(states, NOW)
    for row in range(3):
        for counter in list(Counter)[:4]:
            mine = [line for line in lines if line[:2] == (row, counter)]
            assert counts.totals[row, counter] == len(mine)
            for place, half_life in enumerate((DAY, 30 * DAY)):
                faded = sum(0.5 ** (-after / half_life) for _, _, after, _ in mine)
                assert counts.faded[row, place, counter] == pytest.approx(faded, rel=1e-9)


def test_counts_fade_on_after_the_last_of_them() -> None:
    (state,) = STATES.added([None], amounts([(0, Counter.CLICKS, 0, 1)]))
    assert STATES.counts([state], NOW + DAY).column(Counter.CLICKS, 0).tolist() == [0.5]
    assert STATES.counts([state], NOW + 30 * DAY).column(Counter.CLICKS, 1).tolist() == [0.5]
    assert STATES.counts([state], NOW + 30 * DAY).column(Counter.CLICKS).tolist() == [1.0]


def test_a_look_back_before_the_last_of_them_makes_nothing_larger() -> None:
    (state,) = STATES.added([None], amounts([(0, Counter.CLICKS, 0, 1)]))
    assert STATES.counts([state], NOW - DAY).column(Counter.CLICKS, 0).tolist() == [1.0]


def test_what_is_all_taken_back_leaves_no_state() -> None:
    lines = [(0, Counter.IMPRESSIONS, 0.0, 1.0), (0, Counter.EXAMINED, 0.0, 0.3)]
    states = STATES.added([None], amounts(lines))
    assert STATES.added(states, amounts([(row, counter, at, -much) for row, counter, at, much in lines])) == [None]


def test_other_half_lives_keep_the_whole_counts_and_begin_the_fading_ones_anew() -> None:
    states = STATES.added([None], amounts([(0, Counter.CLICKS, 0, 1), (0, Counter.IMPRESSIONS, 0, 1)]))
    others = CountStates([HOUR])
    counts = others.counts([*states, None], NOW)
    assert counts.totals.tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]]
    assert not counts.faded.any()
    (after,) = others.added(states, amounts([(0, Counter.CLICKS, 0, 1)]))
    assert others.counts([after], NOW).totals.tolist() == [[1, 2, 0, 0]]
    assert others.counts([after], NOW).column(Counter.CLICKS, 0).tolist() == [1.0]
    (less,) = others.added(states, amounts([(0, Counter.CLICKS, 0, -1)]))
    assert others.counts([less], NOW).column(Counter.CLICKS, 0).tolist() == [0.0]


def test_a_state_of_a_later_version_is_refused() -> None:
    (state,) = STATES.added([None], amounts([(0, Counter.CLICKS, 0, 1)]))
    assert state is not None
    with pytest.raises(ValueError, match="version 9"):
        STATES.counts([b"\x09" + state[1:]], NOW)


def test_a_rate_is_drawn_to_the_prior_one_the_more_the_less_is_known() -> None:
    successes, trials = np.array([0.0, 1.0, 50.0]), np.array([0.0, 1.0, 100.0])
    assert smoothed_rates(successes, trials, 0.1, 10.0).tolist() == pytest.approx([0.1, 2 / 11, 51 / 110])
    assert smoothed_rates(successes, trials, 0.1, 0.0).tolist() == [0.0, 1.0, 0.5]
    assert smoothed_rates(np.array([3.0]), np.array([1.0]), 0.1, 0.0).tolist() == [1.0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Red  lamp", "LAMP red", True),
        ("ｌａｍｐ", "lamp", True),
        ("straße", "STRASSE", True),
        ("red lamp", "red red lamp", False),
        ("lamp", "lamps", False),
    ],
)
def test_queries_are_of_one_class_by_their_words(one: str, other: str, same: bool) -> None:
    assert (query_class(one) == query_class(other)) is same


@pytest.mark.parametrize("text", ["", " \t\n"])
def test_no_words_make_no_class(text: str) -> None:
    assert query_class(text) == ""
