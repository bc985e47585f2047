"""Propensities out of a log: how likely an item is shown, how likely a place is looked at; and click rates by them.

Showings close in time may share one draw (a shop keeps a drawn list for a while and gives it to several shoppers), so
intervals of item propensities take blocks of ten minutes as independent. Those of click rates take single showings. All
are of 95 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)
_BLOCK_SECONDS = 600.0
_HALF_LIVES = (3.0, 12.0, 48.0)  # blocks
_LAG = 2  # blocks; a list that was kept over the end of one block is not used to forecast the next
_PRIOR_SHOWINGS = 0.5
_LEAST_EXPECTED = 10.0  # showings; below it the normal approximation says nothing


class PropensityError(Exception):
    """A log that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Showings:
    """One element a showing, in the order of `times` (seconds). `items` and `places` count from 0, `clicks` are 0 or 1.

    `propensities`: the logged chances that the policy showed this item at this place. Raises PropensityError.
    """

    times: Floats
    items: Integers
    places: Integers
    clicks: Integers
    propensities: Floats
    item_count: int

    def __post_init__(self) -> None:
        columns = (self.times, self.items, self.places, self.clicks, self.propensities)
        if len({len(column) for column in columns}) > 1 or not len(self.times):
            raise PropensityError("the columns of a log are empty or of different lengths")
        if (np.diff(self.times) < 0).any():
            raise PropensityError("the showings are not in the order of their times")
        if not ((self.items >= 0) & (self.items < self.item_count) & (self.places >= 0)).all():
            raise PropensityError(f"an item is not one of the {self.item_count}, or a place is below the first")
        if len(np.unique(self.places)) <= self.places.max():
            raise PropensityError("nothing was shown at one of the places before the last")
        if not ((self.propensities > 0) & (self.propensities <= 1) & np.isin(self.clicks, (0, 1))).all():
            raise PropensityError("a propensity is not above 0 and up to 1, or a click is neither 0 nor 1")


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float

    def holds(self, truth: float) -> bool:
        return self.low <= truth <= self.high


@dataclass(frozen=True, slots=True)
class ItemPropensity:
    """`estimate` is from what was shown alone. `item` is None for all that were shown too seldom at `place`, together.

    `logged` is the harmonic mean of the logged propensities where the item was shown (nan where it never was): shown
    more often while they are high, their plain mean there is too high. `deviation`: in standard errors (nan where there
    is nothing to compare).
    """

    item: int | None
    place: int
    estimate: Estimate
    logged: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """`p_value` of the largest deviation by Bonferroni: below .05 the estimates and the log contradict each other."""

    propensities: Sequence[ItemPropensity]

    @property
    def compared(self) -> int:
        return sum(not math.isnan(each.deviation) for each in self.propensities)

    @property
    def inside(self) -> int:
        return sum(abs(each.deviation) <= _Z for each in self.propensities)

    @property
    def largest_deviation(self) -> float:
        return max((abs(each.deviation) for each in self.propensities if not math.isnan(each.deviation)), default=0.0)

    @property
    def p_value(self) -> float:
        return min(1.0, max(1, self.compared) * 2 * _NORMAL.cdf(-self.largest_deviation))


def steady_item_propensities(showings: Showings) -> Agreement:
    """Of a policy that does not change: shares of the showings at each place.

    Wilson's score interval with the effective size of clustered samples (Korn and Graubard, Survey Methodology 1998).
    """
    cells: list[ItemPropensity] = []
    inverse = 1 / showings.propensities
    for place in range(int(showings.places.max()) + 1):
        shown = _per_block(showings, place, np.ones(len(inverse)))
        total = float(shown.sum())
        shares = shown.sum(axis=0) / total
        clustered = ((shown - shown.sum(axis=1, keepdims=True) * shares) ** 2).sum()
        design_effect = max(1.0, clustered / max(1.0, (total * shares * (1 - shares)).sum()))
        logged = _divide(shown.sum(axis=0), _per_block(showings, place, inverse).sum(axis=0))
        for item, (share, truth) in enumerate(zip(shares.tolist(), logged.tolist(), strict=True)):
            interval = wilson(share, total / design_effect)
            error = float(np.sqrt(truth * (1 - truth) * design_effect / total))
            cells.append(ItemPropensity(item, place, interval, truth, _divide_one(share - truth, error)))
    return Agreement(cells)


def drifting_item_propensities(showings: Showings) -> Agreement:
    """Of a policy that learns: each block's showings, weighted by what earlier blocks let expect of the item there.

    With weights w that only look back, the sum of w / propensity over the showings of an item has the sum of w over all
    showings at its place as its expectation (a martingale), whatever the policy learned in between. The estimate is the
    weighted share; the variance is the larger one of the blocks' and of what a policy as expected would have.
    """
    cells = []
    for place in range(int(showings.places.max()) + 1):
        shown = _per_block(showings, place, np.ones(len(showings.times)))
        weights = _expected_shares(shown)
        expected = weights * shown.sum(axis=1, keepdims=True)
        inverse = weights * _per_block(showings, place, 1 / showings.propensities)
        often = expected.sum(axis=0) >= _LEAST_EXPECTED
        groups: list[tuple[int | None, NDArray[np.intp]]] = [(int(i), np.array([i])) for i in np.flatnonzero(often)]
        groups.append((None, np.flatnonzero(~often)))
        for item, members in groups:
            total = expected[:, members].sum()
            if total < _LEAST_EXPECTED:
                continue
            difference = (inverse - expected)[:, members].sum(axis=1)
            binomial = (expected * (1 - weights))[:, members].sum()
            error = float(np.sqrt(max((difference**2).sum(), binomial))) / total
            ratio = float(inverse[:, members].sum()) / total
            share = float((weights * shown)[:, members].sum()) / total
            logged = share / ratio if ratio else float("nan")
            margin = _Z * error * logged
            estimate = Estimate(share, max(0.0, share - margin), min(1.0, share + margin))
            cells.append(ItemPropensity(item, place, estimate, logged, (ratio - 1) / error))
    return Agreement(cells)


def examination(showings: Showings) -> list[Estimate]:
    """How likely each place is looked at, over the first: clicks weighted by the inverse propensity of item and place.

    Every item counts alike at every place, as if the lists were in random order, so each must have had a chance at each
    place (Joachims, Swaminathan and Schnabel, WSDM 2017; with propensities that differ: Agarwal et al., WSDM 2019).
    Log-normal intervals; nan without clicks.
    """
    rates, errors = [], []
    for place in range(int(showings.places.max()) + 1):
        here = showings.places == place
        value = estimate_value(showings.clicks[here], 1 / showings.propensities[here])
        rates.append(value.self_normalized.value)
        errors.append(_divide_one(value.standard_error, value.self_normalized.value))
    estimates = [Estimate(1.0, 1.0, 1.0)]
    for rate, error in zip(rates[1:], errors[1:], strict=True):
        ratio = _divide_one(rate, rates[0])
        factor = float(np.exp(_Z * np.hypot(error, errors[0])))
        estimates.append(Estimate(ratio, ratio / factor, ratio * factor))
    return estimates


def unbiased_click_rates(showings: Showings, examined: Floats) -> Floats:
    """Of each item, by clicks over `examined` (the examination of each place, over the first); nan if never shown."""
    weighted, shown = np.zeros(showings.item_count), np.zeros(showings.item_count)
    np.add.at(weighted, showings.items, showings.clicks / examined[showings.places])
    np.add.at(shown, showings.items, 1.0)
    return _divide(weighted, shown)


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The click rate that another policy would have, by inverse propensities (`plain`) and `self_normalized` ones.

    `standard_error` is of the self-normalized one. `effective_size`: so many showings of that policy itself would tell
    as much (Kish). `clipped`: the share of the showings whose weight was cut. `mean_weight` has 1 as its expectation,
    without clipping.
    """

    plain: Estimate
    self_normalized: Estimate
    standard_error: float
    effective_size: float
    clipped: float
    mean_weight: Estimate


def estimate_value(clicks: Integers, weights: Floats, largest_weight: float = float("inf")) -> PolicyValue:
    """`weights`: the chance that the other policy shows what was shown, over the logged one (Swaminathan and Joachims,
    NeurIPS 2015). A clipped weight trades variance for bias; Ionides (JCGS 2008) cuts at the root of the sample size.
    """
    cut = np.minimum(weights, largest_weight)
    total = cut.sum()
    rate = float((cut * clicks).sum() / total)
    error = float(np.sqrt(((cut * (clicks - rate)) ** 2).sum()) / total)
    around = Estimate(rate, rate - _Z * error, rate + _Z * error)
    effective = float(total**2 / (cut**2).sum())
    clipped = float((weights > largest_weight).mean())
    return PolicyValue(_mean(cut * clicks), around, error, effective, clipped, _mean(cut))


def wilson(share: float, size: float) -> Estimate:
    """Of a share of `size` independent draws."""
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    margin = _Z / (1 + _Z**2 / size) * float(np.sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2)))
    return Estimate(share, middle - margin, middle + margin)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """`one` minus `other` of independent logs, by the square-and-add method (Zou and Donner, Statist. Med. 2008)."""
    value = one.value - other.value
    low = value - float(np.hypot(one.value - one.low, other.high - other.value))
    return Estimate(value, low, value + float(np.hypot(one.high - one.value, other.value - other.low)))


def _mean(values: Floats) -> Estimate:
    mean, error = float(values.mean()), float(values.std() / np.sqrt(len(values)))
    return Estimate(mean, mean - _Z * error, mean + _Z * error)


def _per_block(showings: Showings, place: int, values: Floats) -> Floats:
    """Sums of `values` by block of time and item, at one place."""
    blocks = ((showings.times - showings.times[0]) // _BLOCK_SECONDS).astype(np.int64)
    sums = np.zeros((int(blocks[-1]) + 1, showings.item_count))
    here = showings.places == place
    np.add.at(sums, (blocks[here], showings.items[here]), values[here])
    return sums


def _expected_shares(shown: Floats) -> Floats:
    """Of each block and item: the least of moving shares over short and long times, from earlier blocks alone.

    The least one seldom exceeds the propensity by much, so that no single showing has a weight that decides all.
    """
    blocks, items = shown.shape
    keep = 0.5 ** (1 / np.array(_HALF_LIVES))[:, None]
    seen = np.zeros((len(_HALF_LIVES), items))
    shares = np.empty((blocks, items))
    for block in range(blocks):
        seen *= keep
        if block >= _LAG:
            seen += shown[block - _LAG]
        shares[block] = ((seen + _PRIOR_SHOWINGS / items) / (seen.sum(axis=1, keepdims=True) + _PRIOR_SHOWINGS)).min(0)
    return shares


def _divide(one: Floats, other: Floats) -> Floats:
    quotient = np.full(len(one), np.nan)
    np.divide(one, other, out=quotient, where=other > 0)
    return quotient


def _divide_one(one: float, other: float) -> float:
    return one / other if other else float("nan")
