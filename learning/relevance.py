"""How good a ranking is against relevance judgments: the usual measures, query by query, with bootstrap intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import ir_measures
import numpy as np
from ir_measures import AP, RR, P, R, nDCG
from numpy.typing import NDArray

from learning.qrels import MAX_RATING, Judgments, RankedRun, RelevanceError

PerQuery: TypeAlias = NDArray[np.float64]

# pytrec_eval's own gain is the rating itself; 2^rating - 1 is the usual gain for graded product search.
_GAINS = {rating: 2**rating - 1 for rating in range(MAX_RATING + 1)}
_BLOCK_VALUES = 4_000_000


class Searcher(Protocol):
    """What is measured."""

    def rank(self, query_text: str, limit: int, only: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """Up to `limit` product ids with scores, best first; of the products `only` where given."""


@dataclass(frozen=True, slots=True)
class RelevanceOptions:
    """`threshold`: the least rating that counts as relevant in P, R, F1, AP and RR (NDCG takes ratings as they are)."""

    threshold: int = 2
    cutoff: int = 10
    recall_cutoff: int = 100
    resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over queries with its 95 % percentile bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RelevanceReport:
    """`values[measure][i]` belongs to `query_ids[i]`; queries without a rating above 0 are `left_out` (a count)."""

    query_ids: tuple[str, ...]
    left_out: int
    values: Mapping[str, PerQuery]
    intervals: Mapping[str, Interval]


def evaluate(run: RankedRun, judgments: Judgments, options: RelevanceOptions) -> RelevanceReport:
    """Measures of a run; an unjudged product counts as irrelevant, a query without results as 0 in every measure.

    The order of the run is what counts, its scores are not looked at.
    """
    query_ids = tuple(judgments.answerable())
    values = _measures(run, judgments, query_ids, options)
    intervals = bootstrap(values, options)
    return RelevanceReport(query_ids, len(judgments.ratings) - len(query_ids), values, intervals)


def measure(
    run: RankedRun, judgments: Judgments, measures: Mapping[str, str], options: RelevanceOptions
) -> RelevanceReport:
    """As `evaluate`, of `measures`: by name, each in the notation of ir_measures, such as `Success(rel=2)@5`."""
    query_ids = tuple(judgments.answerable())
    named = {name: ir_measures.parse_measure(notation) for name, notation in measures.items()}
    values = _values(run, judgments, query_ids, list(named.values()))
    report = {name: values[parsed] for name, parsed in named.items()}
    left_out = len(judgments.ratings) - len(query_ids)
    return RelevanceReport(query_ids, left_out, report, bootstrap(report, options))


def compare(report: RelevanceReport, other: RelevanceReport, options: RelevanceOptions) -> dict[str, Interval]:
    """`report` minus `other` on the same queries, by the paired bootstrap: 0 outside the interval is a difference."""
    if report.query_ids != other.query_ids:
        raise RelevanceError("the two reports are of different queries; evaluate both runs on the same judgments")
    return bootstrap({name: values - other.values[name] for name, values in report.values.items()}, options)


def bootstrap(values: Mapping[str, PerQuery], options: RelevanceOptions) -> dict[str, Interval]:
    """Mean and percentile interval of each measure; all measures share the resampled queries."""
    table = np.stack(list(values.values()), axis=1)
    means = _resampled_means(table, options)
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return {
        name: Interval(float(table[:, column].mean()), float(low[column]), float(high[column]))
        for column, name in enumerate(values)
    }


def _resampled_means(table: PerQuery, options: RelevanceOptions) -> PerQuery:
    """Shape (resamples, measures)."""
    rng = np.random.default_rng(options.seed)
    queries = len(table)
    shares = np.full(queries, 1 / queries)
    block = max(1, _BLOCK_VALUES // queries)
    sizes = [min(block, options.resamples - start) for start in range(0, options.resamples, block)]
    return np.concatenate([rng.multinomial(queries, shares, size=size) @ table / queries for size in sizes])


def _measures(
    run: RankedRun, judgments: Judgments, query_ids: tuple[str, ...], options: RelevanceOptions
) -> dict[str, PerQuery]:
    k, relevant = options.cutoff, options.threshold
    recall_at_k = R(rel=relevant) @ k
    named = {
        f"NDCG@{k}": nDCG(gains=_GAINS) @ k,
        f"P@{k}": P(rel=relevant) @ k,
        f"R@{options.recall_cutoff}": R(rel=relevant) @ options.recall_cutoff,
        "AP": AP(rel=relevant),
        "RR": RR(rel=relevant),
    }
    wanted = _values(run, judgments, query_ids, [*named.values(), recall_at_k])
    values = {name: wanted[measure] for name, measure in named.items()}
    values[f"F1@{k}"] = _harmonic_mean(values[f"P@{k}"], wanted[recall_at_k])
    values[f"Judged@{k}"] = np.array(
        [_judged_share(run.get(query_id, ()), judgments.ratings[query_id], k) for query_id in query_ids]
    )
    return values


def _values(
    run: RankedRun, judgments: Judgments, query_ids: Sequence[str], measures: Sequence[Any]
) -> dict[Any, PerQuery]:
    """By measure of ir_measures."""
    ratings = {query_id: dict(judgments.ratings[query_id]) for query_id in query_ids}
    positions = {query_id: number for number, query_id in enumerate(query_ids)}
    values = {measure: np.zeros(len(query_ids)) for measure in measures}
    for metric in ir_measures.iter_calc(list(values), ratings, _by_rank(run, query_ids)):
        values[metric.measure][positions[metric.query_id]] = metric.value
    return values


def _by_rank(run: RankedRun, query_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """The run with scores made from its order: trec_eval would break ties of scores by product id."""
    by_rank = {}
    for query_id in query_ids:
        products = [product for product, _ in run.get(query_id, ())]
        if len(set(products)) < len(products):
            raise RelevanceError(f"query {query_id!r}: a product is there twice in the ranking")
        if products:
            by_rank[query_id] = {product: float(-rank) for rank, product in enumerate(products)}
    return by_rank


def _harmonic_mean(precision: PerQuery, recall: PerQuery) -> PerQuery:
    total = precision + recall
    return np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)


def _judged_share(ranked: Sequence[tuple[str, float]], rated: Mapping[str, int], cutoff: int) -> float:
    shown = ranked[:cutoff]
    return sum(product in rated for product, _ in shown) / len(shown) if shown else 0.0
