"""Whether lists made for a shopper fit the hidden taste better than those that nobody in particular gets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning.relevance import Interval, RelevanceOptions, bootstrap

CUTOFF = 10


@dataclass(frozen=True, slots=True)
class PairedNdcg:
    """NDCG of two answers to one query at one moment: to the shopper, and to nobody in particular.

    `session` counts the shopper's sessions from 1. Both are NaN where nothing that was found is liked.
    """

    shopper: str
    session: int
    personalized: float
    plain: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means with 95 % intervals over shoppers; that of the difference is paired. `searches` were asked twice."""

    shoppers: int
    searches: int
    personalized: Interval
    plain: Interval
    difference: Interval


def ndcg(grades: Sequence[int], found: Sequence[int], cutoff: int = CUTOFF) -> float:
    """Of a list with these grades, best place first, with gains 2^grade - 1, against the best order of all `found`.

    NaN where nothing has a grade.
    """
    best = _gain(sorted(found, reverse=True)[:cutoff])
    return _gain(grades[:cutoff]) / best if best else math.nan


def compare(searches: Sequence[PairedNdcg], options: RelevanceOptions) -> Comparison | None:
    """None where nobody found anything to like.

    Searches of one shopper are averaged before anything else: they are not independent.
    """
    by_shopper: dict[str, list[tuple[float, float]]] = {}
    for one in searches:
        if not math.isnan(one.plain):
            by_shopper.setdefault(one.shopper, []).append((one.personalized, one.plain))
    if not by_shopper:
        return None
    personalized, plain = np.array([np.mean(of_one, axis=0) for of_one in by_shopper.values()]).T
    values = {"personalized": personalized, "plain": plain, "difference": personalized - plain}
    intervals = bootstrap(values, options)
    return Comparison(len(by_shopper), sum(map(len, by_shopper.values())), **intervals)


def _gain(grades: Sequence[int]) -> float:
    return float(sum((2**grade - 1) / math.log2(place + 1) for place, grade in enumerate(grades, start=1)))
