"""`millrace evaluate compare`: a page that shows query by query what two configurations do differently."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.catalogue_evaluation import CATALOGUES, DATA_HELP, CatalogueName, CatalogueOptions, evaluate_catalogue
from cli.comparison_page import comparison_page
from cli.evaluate import RELEVANCE_ERRORS
from cli.output import JSON_HELP, Output
from cli.run_folder import SHOWN, StoredRun, read_run, run_file
from learning.qrels import RelevanceError
from learning.query_sets import AS_SERVED
from learning.relevance import Interval, RelevanceOptions
from learning.run_comparison import RunComparison, compare_runs

_TOLD = 5


def compare_command(  # noqa: PLR0913 - each is an option of the command
    before: Annotated[
        Path, typer.Argument(help="A run file, or a folder with only one. With --on: a settings file (TOML).")
    ],
    after: Annotated[Path, typer.Argument(help="Another run of the same queries, or the other settings file.")],
    page: Annotated[Path, typer.Option(help="The page: one file, without network.")] = Path("comparison.html"),
    on: Annotated[
        CatalogueName | None,
        typer.Option(
            metavar="CATALOGUE", help=f"Make the runs first, with both settings files, on one of {CATALOGUES}."
        ),
    ] = None,
    queries: Annotated[str, typer.Option(help="With --on: which set of queries. Default: the catalogue's first.")] = "",
    data: Annotated[Path, typer.Option(help=DATA_HELP, envvar="MILLRACE_DATA")] = Path("../shared/data"),
    work: Annotated[Path | None, typer.Option(help="With --on: data and logs. Default: .bench/relevance/NAME.")] = None,
    reuse_index: Annotated[
        bool, typer.Option("--reuse-index", help="With --on: ask the index that the last run left, fill none.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Write a page with both lists of every query side by side, gains first and losses last.

    Each product is shown with its picture, title, rating, and how its place changed. Runs are those that `millrace
    evaluate relevance --runs FOLDER` wrote: of two settings files, two days, or two ways of finding in one folder. With
    --on, two settings files are compared at once; both search one index, so their encoders must be the same.

    Example: millrace evaluate compare runs/today/text.as-served.run runs/other/text.as-served.run --page changes.html

    Example: millrace evaluate compare millrace.toml other.toml --on icecat

    With --json: measure, queries, before, after, difference (each mean, low, high), gains, losses, page, and by_query
    (query_id, query, before, after), from the greatest gain to the greatest loss.
    """
    output = Output(as_json)
    with output.failing_on(*RELEVANCE_ERRORS):
        if on is not None:
            chosen = CatalogueOptions(on, data, work=work, reuse_index=reuse_index)
            before, after = _make_runs(before, after, chosen, queries, output)
        old, new = read_run(before), read_run(after)
        if old.judgments.ratings != new.judgments.ratings:
            raise RelevanceError("the runs lie beside different judgments: compare runs of the same queries")
        with output.waiting("comparing"):
            comparison = compare_runs(old.run, new.run, old.judgments, RelevanceOptions(cutoff=SHOWN, seed=seed))
            page.write_text(comparison_page(comparison, old, new), encoding="utf-8")
    output.show(_table(comparison, old, new))
    output.show(f"{comparison.gains} queries gain, {comparison.losses} lose. Page: {escape(str(page.resolve()))}")
    output.finish(_facts(comparison, old, page))


def _make_runs(before: Path, after: Path, chosen: CatalogueOptions, queries: str, output: Output) -> tuple[Path, Path]:
    """The run files of both settings files. Raises RelevanceError for queries that the catalogue does not have."""
    files = []
    for number, config in enumerate((before, after)):
        folder = chosen.folder / "runs" / f"{number + 1}-{config.stem}"
        asked = replace(chosen, config=config, reuse_index=chosen.reuse_index or number > 0)
        sets = list(evaluate_catalogue(asked, RelevanceOptions(), folder, output)["query_sets"])
        if queries and queries not in sets:
            raise RelevanceError(f"{chosen.name} has no queries {queries!r}; there are: {', '.join(sets)}")
        files.append(run_file(folder, queries or sets[0], AS_SERVED))
    return files[0], files[1]


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
