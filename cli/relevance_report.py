"""What relevance measured, as tables for people and as facts for programs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from cli.output import Output
from learning.qrels import Judgments, RankedRun
from learning.query_sets import QuerySet, full_query_run, judged_query_run
from learning.relevance import Interval, RelevanceOptions, RelevanceReport, Searcher, compare, evaluate
from learning.relevance_runs import full_run, judged_run
from ranking.search import Search


@dataclass(frozen=True, slots=True)
class RelevanceResult:
    """Both views of one search. `judged`: each query ranks its judged products only. `full`: the whole index."""

    judged: RelevanceReport
    full: RelevanceReport
    run: RankedRun
    difference: Mapping[str, Interval] | None = None

    def facts(self, options: RelevanceOptions) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "queries": len(self.full.query_ids),
            "queries_without_a_positive_rating": self.full.left_out,
            "options": asdict(options),
            "judged": _intervals(self.judged),
            "full": _intervals(self.full),
        }
        if self.difference is not None:
            facts["full_minus_other_run"] = {name: asdict(interval) for name, interval in self.difference.items()}
        return facts


@dataclass(frozen=True, slots=True)
class SystemResult:
    """One configuration on one set of queries; `judged` where only some products are judged."""

    full: RelevanceReport
    run: RankedRun
    judged: RelevanceReport | None = None

    def facts(self) -> dict[str, Any]:
        facts = {"full": _intervals(self.full)}
        return facts if self.judged is None else {"judged": _intervals(self.judged), **facts}


def measure_relevance(
    searcher: Searcher,
    judgments: Judgments,
    options: RelevanceOptions,
    output: Output,
    other_run: RankedRun | None = None,
) -> RelevanceResult:
    """Ask every query twice: over its judged products, and over the whole index."""
    with output.counting("asking", 2 * len(judgments.answerable())) as on_query:
        judged = judged_run(searcher, judgments, on_query)
        full = full_run(searcher, judgments, max(options.recall_cutoff, options.cutoff), on_query)
    report = evaluate(full, judgments, options)
    difference = None
    if other_run is not None:
        difference = compare(report, evaluate(other_run, judgments, options), options)
    return RelevanceResult(evaluate(judged, judgments, options), report, full, difference)


def measure_query_set(
    search: Search, queries: QuerySet, options: RelevanceOptions, output: Output
) -> dict[str, SystemResult]:
    """By system, in the order of the set."""
    results = {}
    for name, legs in queries.systems.items():
        asked = len(queries.judgments.answerable()) * (2 if queries.pooled else 1)
        with output.counting(f"{queries.name}, {name}", asked) as on_query:
            run = full_query_run(search, queries, legs, options.recall_cutoff, on_query)
            judged = judged_query_run(search, queries, legs, on_query) if queries.pooled else None
        judged_report = None if judged is None else queries.report(judged, options)
        results[name] = SystemResult(queries.report(run, options), run, judged_report)
    return results


def relevance_table(result: RelevanceResult) -> Table:
    """One row a measure; intervals are 95 % bootstrap intervals over the queries."""
    table = Table(title=f"{len(result.full.query_ids)} queries, mean [95 % interval]")
    for heading in ("", "judged only", "full index", *(["minus the other run"] if result.difference else [])):
        table.add_column(heading)
    for name, full in result.full.intervals.items():
        cells = [_cell(result.judged.intervals[name]), _cell(full)]
        if result.difference is not None:
            cells.append(_cell(result.difference[name], sign=True))
        table.add_row(name, *cells)
    return table


def query_set_table(queries: QuerySet, results: Mapping[str, SystemResult]) -> Table:
    """One row a measure and view, one column a system."""
    asked = len(queries.judgments.answerable())
    table = Table(title=f"{queries.name}: {asked} queries, mean [95 % interval]", box=None)
    for heading in ("", *([""] if queries.pooled else []), *results):
        table.add_column(heading, no_wrap=True)
    views = {"judged only": [each.judged for each in results.values()]} if queries.pooled else {}
    views["full index" if queries.pooled else ""] = [each.full for each in results.values()]
    for view, reports in views.items():
        for name in next(iter(results.values())).full.intervals:
            cells = [_cell(report.intervals[name]) for report in reports if report is not None]
            table.add_row(*([view] if queries.pooled else []), name, *cells)
    return table


def _intervals(report: RelevanceReport) -> dict[str, dict[str, float]]:
    return {name: asdict(interval) for name, interval in report.intervals.items()}


def _cell(interval: Interval, sign: bool = False) -> str:
    form = "+.3f" if sign else ".3f"
    return f"{interval.mean:{form}} \\[{interval.low:{form}}, {interval.high:{form}}]"
