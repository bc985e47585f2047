"""Propensities from logs whose truth is known: the intervals hold it, and a wrong claim is found out."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.estimates import Estimate, Floats, difference, wilson
from learning.examination import examination, unbiased_click_rates
from learning.item_propensities import drifting_item_propensities, steady_item_propensities
from learning.policy_values import estimate_value
from learning.showings import PropensityError, Showings

DAY = 86_400.0
ITEMS = 12
EXAMINED = np.array([1.0, 0.5, 0.25])
RELEVANCE = np.linspace(0.30, 0.08, ITEMS)


def draw(chances: Floats, rng: np.random.Generator) -> np.ndarray:
    """One item a row of `chances`."""
    return np.minimum((chances.cumsum(axis=1) < rng.random(len(chances))[:, None]).sum(axis=1), chances.shape[1] - 1)


def log_of(chances: Floats, seed: int = 0, kept: int = 1) -> Showings:
    """`chances[showing, item]`; each draw is shown `kept` times in a row at its place, three places in turn."""
    rng = np.random.default_rng(seed)
    count = len(chances)
    places = np.arange(count) % 3
    items = draw(chances, rng)
    for place in range(3):
        here = np.flatnonzero(places == place)
        items[here] = items[here[np.arange(len(here)) // kept * kept]]
    clicks = (rng.random(count) < EXAMINED[places] * RELEVANCE[items]).astype(np.int64)
    times = np.sort(rng.uniform(0, 2 * DAY, count))
    return Showings(times, items, places, clicks, chances[np.arange(count), items], ITEMS)


def uniform(count: int) -> Floats:
    return np.full((count, ITEMS), 1 / ITEMS)


def drifting(count: int) -> Floats:
    """Each item has its hours: the chances move by a factor of 20 within a day."""
    hours = np.linspace(0, 2, count)[:, None] * 2 * np.pi
    odds = np.exp(1.5 * np.sin(hours + np.arange(ITEMS)) + 0.1 * np.arange(ITEMS))
    return odds / odds.sum(axis=1, keepdims=True)


def best_first(count: int) -> Floats:
    """Good items are shown at the first place more often, bad ones at the last."""
    odds = np.exp(8 * (1 - np.arange(count) % 3)[:, None] * RELEVANCE)
    return odds / odds.sum(axis=1, keepdims=True)


def test_shares_of_a_steady_policy_hold_the_truth() -> None:
    odds = np.arange(1.0, ITEMS + 1)
    chances = np.tile(odds / odds.sum(), (9_000, 1))
    found = [steady_item_propensities(log_of(chances, seed)) for seed in range(10)]

    assert [each.compared for each in found] == [3 * ITEMS] * 10
    assert 0.92 <= sum(each.inside for each in found) / (10 * 3 * ITEMS) <= 0.98
    assert min(each.p_value for each in found) >= 0.001
    assert found[0].propensities[-1].logged == pytest.approx(ITEMS / odds.sum())


def test_a_policy_that_is_not_what_it_logs_is_found_out() -> None:
    odds = np.linspace(1.0, 1.5, ITEMS)
    log = log_of(np.tile(odds / odds.sum(), (9_000, 1)))
    found = steady_item_propensities(replace(log, propensities=np.full(9_000, 1 / ITEMS)))

    assert found.p_value < 0.001


def test_lists_that_are_shown_again_and_again_widen_the_intervals() -> None:
    once = steady_item_propensities(log_of(uniform(9_000)))
    kept = steady_item_propensities(log_of(uniform(9_000), kept=5))

    def width(estimate: Estimate) -> float:
        return estimate.high - estimate.low

    assert width(kept.propensities[0].estimate) > 1.5 * width(once.propensities[0].estimate)
    assert kept.p_value >= 0.001


def test_an_item_that_was_never_shown_has_an_upper_bound_and_nothing_to_compare() -> None:
    chances = np.zeros((300, ITEMS))
    chances[:, 1:] = 1 / (ITEMS - 1)
    never = steady_item_propensities(log_of(chances)).propensities[0]

    assert never.estimate.value == 0
    assert 0 < never.estimate.high < 0.1
    assert math.isnan(never.logged)


def test_a_policy_that_always_shows_one_item_agrees_with_its_log() -> None:
    chances = np.zeros((300, ITEMS))
    chances[:, 3] = 1.0
    found = steady_item_propensities(log_of(chances))

    assert found.propensities[3].estimate.holds(1.0)
    assert found.propensities[3].logged == 1.0
    assert found.p_value == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_a_drifting_policy_agrees_with_what_it_logs(seed: int) -> None:
    found = drifting_item_propensities(log_of(drifting(9_000), seed))

    assert found.inside / found.compared >= 0.85
    assert found.p_value >= 0.001


@pytest.mark.parametrize("seed", range(4))
def test_a_drifting_policy_that_logs_the_propensities_of_its_mean_is_found_out(seed: int) -> None:
    chances = drifting(9_000)
    log = log_of(chances, seed)
    found = drifting_item_propensities(replace(log, propensities=chances.mean(axis=0)[log.items]))

    assert found.p_value < 0.001


def test_items_shown_too_seldom_are_compared_together() -> None:
    odds = np.array([50.0, 50.0] + [0.1] * (ITEMS - 2))
    found = drifting_item_propensities(log_of(np.tile(odds / odds.sum(), (9_000, 1))))

    assert {each.item for each in found.propensities} == {0, 1, None}
    assert found.p_value >= 0.001


def test_examination_of_the_places_is_found_whatever_the_policy_shows_there() -> None:
    for chances in (uniform(30_000), drifting(30_000), best_first(30_000)):
        found = examination(log_of(chances))

        assert found[0] == Estimate(1.0, 1.0, 1.0)
        assert [estimate.holds(truth) for estimate, truth in zip(found, EXAMINED, strict=True)] == [True] * 3
        assert found[2].high < EXAMINED[1]


def test_inverse_propensities_recover_the_order_that_the_places_hid() -> None:
    """A policy that shows the worse items first: by clicks alone they look better than they are."""
    rng = np.random.default_rng(0)
    count = 60_000
    places = np.arange(count) % 3
    items = (rng.integers(0, ITEMS // 3, count) + (2 - places) * (ITEMS // 3)).astype(np.int64)
    clicks = (rng.random(count) < EXAMINED[places] * RELEVANCE[items]).astype(np.int64)
    log = Showings(np.arange(count) / 10.0, items, places, clicks, np.full(count, 3 / ITEMS), ITEMS)

    as_clicked = unbiased_click_rates(log, np.ones(3))
    unbiased = unbiased_click_rates(log, EXAMINED)

    groups = np.arange(ITEMS) // (ITEMS // 3)
    means = [unbiased[groups == group].mean() for group in range(3)]
    assert means == sorted(means, reverse=True)
    assert as_clicked[groups == 0].mean() < as_clicked[groups == 1].mean() < as_clicked[groups == 2].mean()
    np.testing.assert_allclose(unbiased, RELEVANCE, rtol=0.2)


@pytest.mark.parametrize("seed", range(4))
def test_the_value_of_a_uniform_policy_is_found_in_the_log_of_another(seed: int) -> None:
    log = log_of(drifting(9_000), seed)
    value = estimate_value(log.clicks, 1 / ITEMS / log.propensities)
    truth = float(EXAMINED.mean() * RELEVANCE.mean())

    assert value.plain.holds(truth)
    assert value.self_normalized.holds(truth)
    assert value.mean_weight.holds(1.0)
    assert value.effective_size < 9_000


def test_values_by_hand() -> None:
    value = estimate_value(np.array([1, 0, 1, 0]), np.array([2.0, 1.0, 1.0, 4.0]), largest_weight=3.0)

    assert value.plain.value == pytest.approx(3 / 4)
    assert value.self_normalized.value == pytest.approx(3 / 7)
    assert value.effective_size == pytest.approx(49 / 15)
    assert value.clipped == 0.25


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_score_interval_holds_its_share_and_stays_within_0_and_1(size: int, share: float) -> None:
    found = wilson(share, size)

    assert -1e-9 <= found.low <= share + 1e-9
    assert share - 1e-9 <= found.high <= 1 + 1e-9


def test_a_difference_is_wide_where_either_side_is() -> None:
    found = difference(Estimate(0.5, 0.2, 0.6), Estimate(0.3, 0.26, 0.7))

    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.2 - 0.5)
    assert found.high == pytest.approx(0.2 + math.hypot(0.1, 0.04))


@pytest.mark.parametrize(
    "change",
    [
        {"propensities": np.zeros(30)},
        {"propensities": np.full(30, 1.5)},
        {"propensities": np.ones(3)},
        {"times": np.arange(30.0)[::-1]},
        {"items": np.full(30, ITEMS)},
        {"places": np.full(30, 1)},
        {"clicks": np.full(30, 2)},
    ],
)
def test_a_log_that_cannot_be_is_refused(change: dict[str, np.ndarray]) -> None:
    with pytest.raises(PropensityError):
        replace(log_of(uniform(30)), **change)
