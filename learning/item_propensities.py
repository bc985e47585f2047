"""How likely an item is shown at a place, estimated from what was shown, beside the logged chances.

Showings close in time may share one draw (a shop keeps a drawn list for a while and gives it to several shoppers), so
intervals take blocks of ten minutes as independent. All are of 95 %.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.estimates import NORMAL, Estimate, Floats, Z, ratio, ratios, wilson
from learning.showings import Showings

_BLOCK_SECONDS = 600.0
_HALF_LIVES = (3.0, 12.0, 48.0)  # blocks
_LAG = 2  # blocks; a list that was kept over the end of one block is not used to forecast the next
_PRIOR_SHOWINGS = 0.5
_LEAST_EXPECTED = 10.0  # showings; below it the normal approximation says nothing


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
        return sum(abs(each.deviation) <= Z for each in self.propensities)

    @property
    def largest_deviation(self) -> float:
        return max((abs(each.deviation) for each in self.propensities if not math.isnan(each.deviation)), default=0.0)

    @property
    def p_value(self) -> float:
        return min(1.0, max(1, self.compared) * 2 * NORMAL.cdf(-self.largest_deviation))


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
        logged = ratios(shown.sum(axis=0), _per_block(showings, place, inverse).sum(axis=0))
        for item, (share, truth) in enumerate(zip(shares.tolist(), logged.tolist(), strict=True)):
            interval = wilson(share, total / design_effect)
            error = float(np.sqrt(truth * (1 - truth) * design_effect / total))
            cells.append(ItemPropensity(item, place, interval, truth, ratio(share - truth, error)))
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
            of_expected = float(inverse[:, members].sum()) / total
            share = float((weights * shown)[:, members].sum()) / total
            logged = share / of_expected if of_expected else float("nan")
            margin = Z * error * logged
            estimate = Estimate(share, max(0.0, share - margin), min(1.0, share + margin))
            cells.append(ItemPropensity(item, place, estimate, logged, (of_expected - 1) / error))
    return Agreement(cells)


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
