"""`millrace evaluate compare`: a page that shows query by query what two configurations do differently."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.comparison_page import comparison_page
from cli.output import JSON_HELP, Output
from cli.run_folder import SHOWN, StoredRun, read_run
from learning.qrels import RelevanceError
from learning.relevance import Interval, RelevanceOptions
from learning.run_comparison import RunComparison, compare_runs

_TOLD = 5


def compare_command(
    before: Annotated[Path, typer.Argument(help="A run file, or a folder with one; the products come from beside it.")],
    after: Annotated[Path, typer.Argument(help="Another run of the same queries.")],
    page: Annotated[Path, typer.Option(help="The page: one file, without network.")] = Path("comparison.html"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Write a page with both lists of every query side by side, gains first and losses last.

    Each product is shown with its picture, title, rating, and how its place changed. The runs are those that
    `millrace evaluate relevance --runs FOLDER` wrote: of two settings files, or two ways of finding in one folder.

    Example: millrace evaluate compare runs/today/text.as-served.run runs/other/text.as-served.run --page changes.html

    With --json: measure, queries, before, after, difference (each mean, low, high), gains, losses, page, and by_query
    (query_id, query, before, after), from the greatest gain to the greatest loss.
    """
    output = Output(as_json)
    with output.failing_on(RelevanceError, OSError):
        old, new = read_run(before), read_run(after)
        if old.judgments.ratings != new.judgments.ratings:
            raise RelevanceError("the runs lie beside different judgments: compare runs of the same queries")
        with output.waiting("comparing"):
            comparison = compare_runs(old.run, new.run, old.judgments, RelevanceOptions(cutoff=SHOWN, seed=seed))
            page.write_text(comparison_page(comparison, old, new), encoding="utf-8")
    output.show(_table(comparison, old, new))
    output.show(f"{comparison.gains} queries gain, {comparison.losses} lose. Page: {escape(str(page.resolve()))}")
    output.finish(_facts(comparison, old, page))


def _table(comparison: RunComparison, old: StoredRun, new: StoredRun) -> Table:
    table = Table(title=f"{comparison.measure} over {len(comparison.queries)} queries, mean [95 % interval]", box=None)
    table.add_column("")
    table.add_column("")
    table.add_row(escape(old.name), _cell(comparison.before))
    table.add_row(escape(new.name), _cell(comparison.after))
    table.add_row("difference (paired)", _cell(comparison.difference, sign=True))
    changed = [query for query in comparison.queries if query.difference]
    ends = changed if len(changed) <= 2 * _TOLD else [*changed[:_TOLD], *changed[-_TOLD:]]
    for query in ends:
        label = escape(old.judgments.texts[query.query_id])
        table.add_row(label, f"{query.difference:+.3f}  ({query.before:.3f} to {query.after:.3f})")
    return table


def _cell(interval: Interval, sign: bool = False) -> str:
    form = "+.3f" if sign else ".3f"
    return f"{interval.mean:{form}} \\[{interval.low:{form}}, {interval.high:{form}}]"


def _facts(comparison: RunComparison, old: StoredRun, page: Path) -> dict[str, Any]:
    return {
        "measure": comparison.measure,
        "queries": len(comparison.queries),
        "before": asdict(comparison.before),
        "after": asdict(comparison.after),
        "difference": asdict(comparison.difference),
        "gains": comparison.gains,
        "losses": comparison.losses,
        "page": str(page),
        "by_query": [
            {
                "query_id": query.query_id,
                "query": old.judgments.texts[query.query_id],
                "before": query.before,
                "after": query.after,
            }
            for query in comparison.queries
        ],
    }
