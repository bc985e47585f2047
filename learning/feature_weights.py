"""What each feature makes of a ranker's order, by its parts in the scores."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from learning.ranked_lists import ObservedList
from ranking.rankers import LEAST_DEVIATION, Numbers


def feature_weights(parts: Sequence[Mapping[str, Numbers]]) -> dict[str, float]:
    """By feature, from the most to the least, of parts in the scores of each list."""
    spreads: dict[str, float] = {}
    for of_list in parts:
        for name, part in of_list.items():
            spreads[name] = spreads.get(name, 0.0) + float(part.std())
    total = max(sum(spreads.values()), LEAST_DEVIATION)
    return {name: spread / total for name, spread in sorted(spreads.items(), key=lambda one: -one[1])}


def feature_directions(lists: Sequence[ObservedList], parts: Sequence[Mapping[str, Numbers]]) -> dict[str, float]:
    """By feature, the correlation of its values with its parts within lists; only of those that differ there."""
    together: defaultdict[str, float] = defaultdict(float)
    apart: defaultdict[str, float] = defaultdict(float)
    for each, of_list in zip(lists, parts, strict=True):
        for name, values in zip(each.input.names, each.input.values.T, strict=True):
            known = ~np.isnan(values)
            if known.any():
                value, part = _beside_mean(values[known]), _beside_mean(of_list[name][known])
                together[name] += float(value @ part)
                apart[name] += float(np.linalg.norm(value) * np.linalg.norm(part))
    return {name: together[name] / apart[name] for name in together if apart[name] > LEAST_DEVIATION}


def _beside_mean(values: Numbers) -> Numbers:
    beside: Numbers = values - values.mean()
    return beside
