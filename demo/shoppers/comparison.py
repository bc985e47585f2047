"""Whether lists made for a shopper fit the hidden taste better than those that nobody in particular gets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from learning.qrels import Judgments, RankedRun
from learning.relevance import Interval, PerQuery, RelevanceOptions, bootstrap, evaluate

CUTOFF = 10


@dataclass(frozen=True, slots=True)
class ListPair:
    """One query, asked at the same moment by a shopper and by nobody. Lists hold ids, the best first.

    `session` counts the shopper's sessions from 1; `grades` are of all products of both lists.
    """

    shopper: str
    session: int
    text: str
    personalized: Sequence[str]
    plain: Sequence[str]
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean NDCG@10 against the hidden tastes with 95 % intervals over shoppers; that of the difference is paired."""

    shoppers: int
    pairs: int
    personalized: Interval
    plain: Interval
    difference: Interval


def compare_lists(pairs: Sequence[ListPair], options: RelevanceOptions) -> Comparison | None:
    """None where no list has anything that its shopper likes.

    The best order is that of all products of both lists. Pairs of one shopper are averaged before anything else: they
    are not independent.
    """
    graded = [pair for pair in pairs if max(pair.grades.values(), default=0) > 0]
    if not graded:
        return None
    personalized = _ndcg(graded, lambda pair: pair.personalized, options)
    plain = _ndcg(graded, lambda pair: pair.plain, options)
    numbers = _by_shopper(graded)
    values = {
        "personalized": np.array([personalized[of_one].mean() for of_one in numbers]),
        "plain": np.array([plain[of_one].mean() for of_one in numbers]),
    }
    intervals = bootstrap({**values, "difference": values["personalized"] - values["plain"]}, options)
    return Comparison(shoppers=len(numbers), pairs=len(graded), **intervals)


def _ndcg(
    pairs: Sequence[ListPair], ranked: Callable[[ListPair], Sequence[str]], options: RelevanceOptions
) -> PerQuery:
    """One value a pair, in their order."""
    judgments = Judgments(
        {str(number): pair.grades for number, pair in enumerate(pairs)},
        {str(number): pair.text for number, pair in enumerate(pairs)},
    )
    run: RankedRun = {
        str(number): [(product, float(-place)) for place, product in enumerate(ranked(pair))]
        for number, pair in enumerate(pairs)
    }
    return evaluate(run, judgments, options).values[f"NDCG@{options.cutoff}"]


def _by_shopper(pairs: Sequence[ListPair]) -> list[list[int]]:
    """Numbers of the pairs of each shopper."""
    numbers: dict[str, list[int]] = {}
    for number, pair in enumerate(pairs):
        numbers.setdefault(pair.shopper, []).append(number)
    return list(numbers.values())
