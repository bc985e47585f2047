"""`millrace evaluate relevance`: how well search answers queries that people have judged."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import SettingsError, load_settings
from cli.wiring import open_parts
from encoders.base import EncoderError
from index.base import IndexRefused, IndexUnavailable
from learning.qrels import (
    Judgments,
    RankedRun,
    RatingColumns,
    RelevanceError,
    read_csv_ratings,
    read_trec_qrels,
    read_trec_run,
    write_trec_qrels,
    write_trec_run,
)
from learning.relevance import Interval, RelevanceOptions, RelevanceReport, Searcher, compare, evaluate
from learning.relevance_runs import LegSearcher, full_run, judged_run
from ranking.fusion import Leg

app = typer.Typer(help="Measure quality against what people said.", no_args_is_help=True)
RATING_COLUMNS_HELP = "CSV columns of query, product id and rating."
_TAG = "millrace"


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
            "judged": _intervals(self.judged.intervals),
            "full": _intervals(self.full.intervals),
        }
        if self.difference is not None:
            facts["full_minus_other_run"] = _intervals(self.difference)
        return facts


def measure_relevance(
    searcher: Searcher,
    judgments: Judgments,
    options: RelevanceOptions,
    output: Output,
    other_run: RankedRun | None = None,
) -> RelevanceResult:
    """Ask every query twice: over its judged products, and over the whole index."""
    asked = 0
    with output.progress("asking", 2 * len(judgments.answerable())) as advance:

        def on_query() -> None:
            nonlocal asked
            asked += 1
            advance(asked, "")

        judged = judged_run(searcher, judgments, on_query)
        full = full_run(searcher, judgments, max(options.recall_cutoff, options.cutoff), on_query)
    report = evaluate(full, judgments, options)
    difference = None
    if other_run is not None:
        difference = compare(report, evaluate(other_run, judgments, options), options)
    return RelevanceResult(evaluate(judged, judgments, options), report, full, difference)


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


def read_judgments(ratings: Path, queries: Path | None, columns: RatingColumns) -> Judgments:
    """TREC qrels when there is a file of queries, else CSV. Raises RelevanceError."""
    return read_csv_ratings(ratings, columns) if queries is None else read_trec_qrels(ratings, queries)


@app.command("relevance")
def relevance_command(  # noqa: PLR0913 - each is an option of the command
    ratings: Annotated[Path, typer.Argument(help="CSV with a query, a product id and a rating a row, or TREC qrels.")],
    queries: Annotated[
        Path | None, typer.Option(help="Makes RATINGS TREC qrels: the queries' texts, `query_id<tab>text`.")
    ] = None,
    columns: Annotated[str, typer.Option(help=RATING_COLUMNS_HELP)] = "query,docid,rating",
    threshold: Annotated[int, typer.Option(min=1, help="Least rating that is relevant in P, R, F1, AP and RR.")] = 2,
    cutoff: Annotated[int, typer.Option(min=1, max=1000, help="The k of NDCG@k, P@k and F1@k.")] = 10,
    leg: Annotated[list[Leg] | None, typer.Option(help="Only this way of finding; repeat for several.")] = None,
    run_file: Annotated[
        Path | None, typer.Option(help="Write the rankings as a TREC run, with FILE.qrels and FILE.queries beside it.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An earlier run file: show the paired difference to it.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Ask judged queries and show NDCG, P, R, F1, AP (mAP) and RR (MRR) with 95 % bootstrap intervals.

    "judged only" ranks just the judged products of each query; "full index" counts unjudged products as irrelevant, and
    so favours the kind of search that the judgments were drawn from: look at both, and at the judged share.

    Example: millrace evaluate relevance ratings.csv --run-file today.run --against yesterday.run

    With --json: queries, queries_without_a_positive_rating, options, judged and full (mean, low, high by measure), and
    with --against full_minus_other_run.
    """
    output = Output(as_json)
    with output.failing_on(SettingsError, RelevanceError, EncoderError, IndexUnavailable, IndexRefused):
        judgments = read_judgments(ratings, queries, rating_columns(columns))
        other_run = None if against is None else read_trec_run(against)
        options = RelevanceOptions(threshold=threshold, cutoff=cutoff, seed=seed)
        with open_parts(load_settings(config)) as parts, closing(parts.search()) as search:
            result = measure_relevance(LegSearcher(search, leg), judgments, options, output, other_run)
        if run_file is not None:
            write_trec_run(result.run, run_file, _TAG)
            write_trec_qrels(judgments, run_file.with_suffix(".qrels"), run_file.with_suffix(".queries"))
    output.show(relevance_table(result))
    if result.full.left_out:
        output.note(f"{result.full.left_out} queries have no rating above 0 and are left out")
    output.finish(result.facts(options))


def rating_columns(text: str) -> RatingColumns:
    """Of an option. Raises typer.BadParameter."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 3 or not all(names):
        raise typer.BadParameter(f"{text!r}: write three column names, such as query,docid,rating")
    return RatingColumns(*names)


def _intervals(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: asdict(interval) for name, interval in intervals.items()}


def _cell(interval: Interval, sign: bool = False) -> str:
    form = "+.3f" if sign else ".3f"
    return f"{interval.mean:{form}} \\[{interval.low:{form}}, {interval.high:{form}}]"
