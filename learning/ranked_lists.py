"""Lists that were shown and chosen from: how good an order of them is, measured list by list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.relevance import Interval, PerQuery, RelevanceOptions, bootstrap
from ranking.rankers import Numbers, Ranker, RankingInput

_CUTOFF = 10
_DISCOUNTS = 1 / np.log2(np.arange(2, _CUTOFF + 2))
_LEAST_LISTS = 20


class RankingDataError(Exception):
    """Lists from which nothing can be learned; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class ObservedList:
    """A list as the ranker saw it before anything was done with it, and what was then done.

    `gains`: one for each candidate, 0 where it was passed over; `positions`: where each was shown, and
    `propensities`: the chance that it was shown there, where that was logged. `number`: 1 for the shopper's first list,
    0 where nobody is named.
    """

    query_id: str
    shopper: str
    number: int
    input: RankingInput
    gains: Numbers
    positions: NDArray[np.int64]
    propensities: NDArray[np.float64] | None = None

    @property
    def tells_something(self) -> bool:
        """Some were chosen and some were not: any order of another list is as good as any other."""
        return len(self.gains) > 0 and bool(self.gains.min() < self.gains.max())


@dataclass(frozen=True, slots=True)
class OrderQuality:
    """NDCG@10 of each list, in the order of the lists, and their mean with its interval."""

    values: PerQuery
    mean: Interval


def informative(lists: Sequence[ObservedList]) -> list[ObservedList]:
    """Those of which some products were chosen and some not. Raises RankingDataError where they are too few."""
    telling = [each for each in lists if each.tells_something]
    if len(telling) < _LEAST_LISTS:
        raise RankingDataError(
            f"{len(telling)} of {len(lists)} lists have products that were acted upon beside some that were not; "
            f"{_LEAST_LISTS} are needed at least"
        )
    return telling


def order_quality(
    lists: Sequence[ObservedList], scores: Sequence[NDArray[np.floating]], options: RelevanceOptions
) -> OrderQuality:
    """Of the lists ordered by falling scores; equal ones keep their place. Every list must tell something."""
    values = [_ndcg(each.gains, score) for each, score in zip(lists, scores, strict=True)]
    return _quality(np.array(values), options)


def ranker_quality(lists: Sequence[ObservedList], ranker: Ranker, options: RelevanceOptions) -> OrderQuality:
    return order_quality(lists, [ranker.score(each.input) for each in lists], options)


def as_shown(lists: Sequence[ObservedList], options: RelevanceOptions) -> OrderQuality:
    """Of the order in which the lists were shown."""
    shown = [-each.positions.astype(np.float32) for each in lists]
    return order_quality(lists, shown, options)


def at_random(lists: Sequence[ObservedList], options: RelevanceOptions) -> OrderQuality:
    """What a random order brings on average: exact, since each place has each gain with the same chance."""
    values = [each.gains.mean() * _DISCOUNTS[: len(each.gains)].sum() / _best(each.gains) for each in lists]
    return _quality(np.array(values), options)


def difference(after: OrderQuality, before: OrderQuality, options: RelevanceOptions) -> Interval:
    """Mean of `after` minus `before` on the same lists, by the paired bootstrap."""
    return bootstrap({"difference": after.values - before.values}, options)["difference"]


def by_list_number(
    lists: Sequence[ObservedList], values: PerQuery, options: RelevanceOptions, last: int = 5
) -> Mapping[str, Interval]:
    """The mean over the shoppers' first lists, second ones and so on; from `last` on they count together. Lists of
    nobody are left out.
    """
    numbers = np.array([min(each.number, last) for each in lists])
    named = {number: f"{number}" if number < last else f"{number}+" for number in sorted(set(numbers.tolist()) - {0})}
    return {name: _quality(values[numbers == number], options).mean for number, name in named.items()}


def _quality(values: PerQuery, options: RelevanceOptions) -> OrderQuality:
    return OrderQuality(values, bootstrap({"mean": values}, options)["mean"])


def _ndcg(gains: Numbers, scores: NDArray[np.floating]) -> float:
    return _discounted(gains[np.argsort(-scores, kind="stable")]) / _best(gains)


def _best(gains: Numbers) -> float:
    return _discounted(np.sort(gains)[::-1])


def _discounted(gains: Numbers) -> float:
    """The gains as they are, each over the logarithm of its place, as trec_eval has it; whole or not."""
    first = gains[:_CUTOFF].astype(np.float64)
    return float(first @ _DISCOUNTS[: len(first)])
