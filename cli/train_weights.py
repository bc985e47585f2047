"""`millrace train retrieval-weights`: how much each way of finding counts, learned from judged queries."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.evaluate import RATING_COLUMNS_HELP, rating_columns, read_judgments
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import SettingsError, load_settings
from cli.wiring import open_parts
from encoders.base import EncoderError
from index.base import IndexRefused, IndexUnavailable
from learning.qrels import RelevanceError
from learning.retrieval_weights import LearnedWeights, LearningOptions, Quality, find_legs, learn_weights
from ranking.fusion import Leg


def train_retrieval_weights(  # noqa: PLR0913 - each is an option of the command
    ratings: Annotated[Path, typer.Argument(help="CSV with a query, a product id and a rating a row, or TREC qrels.")],
    queries: Annotated[
        Path | None, typer.Option(help="Makes RATINGS TREC qrels: the queries' texts, `query_id<tab>text`.")
    ] = None,
    columns: Annotated[str, typer.Option(help=RATING_COLUMNS_HELP)] = "query,docid,rating",
    folds: Annotated[int, typer.Option(min=2, help="Weights are chosen on all folds but one and measured there.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="How often the queries are dealt anew.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the dealing.")] = 0,
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Choose the weights of text queries by judged queries: the best mean of NDCG@10 over the judged products alone and
    over the whole index, with what to expect of other queries by cross-validation.

    Prints the lines for the settings file. Needs ten queries at least; fewer than fifty choose by chance.

    Example: millrace train retrieval-weights ratings.csv --config millrace.toml

    With --json: queries, weights (by leg), keyword_places, cross_validated and on_these (judged, full).
    """
    output = Output(as_json)
    with output.failing_on(SettingsError, RelevanceError, EncoderError, IndexUnavailable, IndexRefused):
        judgments = read_judgments(ratings, queries, rating_columns(columns))
        with open_parts(load_settings(config)) as parts, closing(parts.search()) as search:
            asked = 0
            with output.progress("asking", len(judgments.answerable())) as advance:

                def on_query() -> None:
                    nonlocal asked
                    asked += 1
                    advance(asked, "")

                found = find_legs(search, judgments, on_query)
        with output.progress("measuring", 1.0) as advance:
            learned = learn_weights(
                found,
                judgments,
                LearningOptions(folds, repeats, seed),
                lambda done, of: advance(done / of, f"{done} of {of} weights"),
            )
    output.show(_table(learned))
    output.show(settings_lines(learned))
    output.finish(
        {
            "queries": learned.queries,
            "weights": dict(learned.chosen.weights),
            "keyword_places": learned.chosen.keyword_places,
            "cross_validated": asdict(learned.cross_validated),
            "on_these": asdict(learned.on_these),
        }
    )


def settings_lines(learned: LearnedWeights) -> str:
    """What to put into the settings file."""
    weights: Mapping[Leg, float] = learned.chosen.weights
    lines = [f"{leg} = {weights[leg]:g}" for leg in weights]
    places = learned.chosen.keyword_places
    return "\n".join(("[ranking]", f"keyword_places = {places}", "", "[ranking.text_query]", *lines)).replace(
        "[", r"\["
    )


def _table(learned: LearnedWeights) -> Table:
    table = Table(title=f"NDCG@10 over {learned.queries} queries", box=None)
    for heading in ("", "judged only", "full index"):
        table.add_column(heading)
    table.add_row("to expect of other queries (cross-validated)", *_cells(learned.cross_validated))
    table.add_row("on the queries that the weights were chosen by", *_cells(learned.on_these))
    return table


def _cells(quality: Quality) -> tuple[str, str]:
    return f"{quality.judged:.3f}", f"{quality.full:.3f}"
