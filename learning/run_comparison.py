"""Two rankings of the same queries, query by query: what each shows first, and which gains and which loses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from learning.qrels import Judgments, RankedRun, RelevanceError
from learning.relevance import Interval, RelevanceOptions, compare, evaluate


@dataclass(frozen=True, slots=True)
class Placed:
    """A product in one list. `rating` is None where nobody judged it; `other_place` where the other run lacks it."""

    product_id: str
    place: int
    rating: int | None
    other_place: int | None


@dataclass(frozen=True, slots=True)
class QueryComparison:
    """`difference` is `after` minus `before` of the measure; the lists hold the first results."""

    query_id: str
    before: float
    after: float
    first_before: Sequence[Placed]
    first_after: Sequence[Placed]

    @property
    def difference(self) -> float:
        return self.after - self.before

    @property
    def same(self) -> bool:
        """Both show the same products in the same order."""
        return [each.product_id for each in self.first_before] == [each.product_id for each in self.first_after]


@dataclass(frozen=True, slots=True)
class RunComparison:
    """`queries` from the greatest gain to the greatest loss; intervals of 95 %, that of the difference is paired."""

    measure: str
    before: Interval
    after: Interval
    difference: Interval
    queries: Sequence[QueryComparison]

    @property
    def gains(self) -> int:
        return sum(query.difference > 0 for query in self.queries)

    @property
    def losses(self) -> int:
        return sum(query.difference < 0 for query in self.queries)


def compare_runs(before: RankedRun, after: RankedRun, judgments: Judgments, options: RelevanceOptions) -> RunComparison:
    """By NDCG at the cutoff, over the whole index. Raises RelevanceError where the runs answer none of the queries."""
    for name, run in (("first", before), ("second", after)):
        if not any(query_id in run for query_id in judgments.answerable()):
            raise RelevanceError(f"the {name} run answers none of the judged queries: is it of other queries?")
    measure = f"NDCG@{options.cutoff}"
    old, new = evaluate(before, judgments, options), evaluate(after, judgments, options)
    queries = [
        QueryComparison(
            query_id,
            float(old.values[measure][number]),
            float(new.values[measure][number]),
            _first(before, after, query_id, judgments.ratings[query_id], options.cutoff),
            _first(after, before, query_id, judgments.ratings[query_id], options.cutoff),
        )
        for number, query_id in enumerate(old.query_ids)
    ]
    return RunComparison(
        measure,
        old.intervals[measure],
        new.intervals[measure],
        compare(new, old, options)[measure],
        sorted(queries, key=lambda query: (-query.difference, query.same)),
    )


def _first(run: RankedRun, other: RankedRun, query_id: str, ratings: Mapping[str, int], count: int) -> list[Placed]:
    places = {product: place for place, (product, _) in enumerate(other.get(query_id, ()), start=1)}
    return [
        Placed(product, place, ratings.get(product), places.get(product))
        for place, (product, _) in enumerate(run.get(query_id, ())[:count], start=1)
    ]
