"""How likely a place is looked at, estimated from lists in random order, and click rates that allow for it.

Intervals are of 95 % and take single showings as independent.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from learning.estimates import Estimate, Floats, Z, ratio, ratios
from learning.policy_values import estimate_value
from learning.ranked_lists import ObservedList
from learning.showings import PropensityError, Showings

_WIDEST = 2.0  # a bound of the interval, over the estimate
_LEAST_CHANCE = 0.05  # so that no single click decides all (Swaminathan and Joachims, NeurIPS 2015)


@dataclass(frozen=True, slots=True)
class PlaceExamination:
    """`chances` are at most 1, by place; the last one is that of all that follow. `lists`: how many told it."""

    chances: Sequence[float]
    estimates: Sequence[Estimate]
    lists: int


def examination_of_lists(lists: Sequence[ObservedList]) -> PlaceExamination:
    """From those whose first places were drawn by lot, as logged propensities below 1 say; of places as deep as most of
    them were drawn. Raises PropensityError where there are none, or their clicks are too few.
    """
    depths = Counter(depth for each in lists if (depth := _drawn_places(each)) > 1)
    if not depths:
        raise PropensityError("no list was shown in random order (query_attributes.propensities below 1)")
    depth = depths.most_common(1)[0][0]
    drawn = [each for each in lists if _drawn_places(each) == depth]
    known = list(takewhile(_is_narrow, examination(_showings(drawn, depth))))
    if len(known) < 2:
        raise PropensityError(f"{len(drawn)} lists in random order have too few clicks to tell places apart")
    values = np.array([each.value for each in known])
    chances = np.clip(values / values.max(), _LEAST_CHANCE, 1.0)
    return PlaceExamination(chances.tolist(), known, len(drawn))


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
        errors.append(ratio(value.standard_error, value.self_normalized.value))
    estimates = [Estimate(1.0, 1.0, 1.0)]
    for rate, error in zip(rates[1:], errors[1:], strict=True):
        over_first = ratio(rate, rates[0])
        factor = float(np.exp(Z * np.hypot(error, errors[0])))
        estimates.append(Estimate(over_first, over_first / factor, over_first * factor))
    return estimates


def unbiased_click_rates(showings: Showings, examined: Floats) -> Floats:
    """Of each item, by clicks over `examined` (the examination of each place, over the first); nan if never shown."""
    weighted, shown = np.zeros(showings.item_count), np.zeros(showings.item_count)
    np.add.at(weighted, showings.items, showings.clicks / examined[showings.places])
    np.add.at(shown, showings.items, 1.0)
    return ratios(weighted, shown)


def _drawn_places(each: ObservedList) -> int:
    """How many of the first places were drawn by lot; 0 where others were, too."""
    if each.propensities is None:
        return 0
    drawn = np.sort(each.positions[each.propensities < 1])
    return len(drawn) if np.array_equal(drawn, np.arange(1, len(drawn) + 1)) else 0


def _showings(lists: Sequence[ObservedList], depth: int) -> Showings:
    """Of the places up to `depth`; items are not told apart."""
    places, clicks, propensities = (np.zeros((len(lists), depth)) for _ in range(3))
    for row, each in enumerate(lists):
        first = each.positions <= depth
        order = np.argsort(each.positions[first])
        places[row] = each.positions[first][order] - 1
        clicks[row] = each.gains[first][order] > 0
        propensities[row] = each.propensities[first][order] if each.propensities is not None else 1
    count = places.size
    return Showings(
        np.repeat(np.arange(len(lists), dtype=np.float64), depth),
        np.zeros(count, np.int64),
        places.astype(np.int64).ravel(),
        clicks.astype(np.int64).ravel(),
        propensities.ravel(),
        item_count=1,
    )


def _is_narrow(estimate: Estimate) -> bool:
    return estimate.high <= _WIDEST * estimate.value
