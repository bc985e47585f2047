"""`millrace train retrieval-weights`: how much each way of finding counts, learned from judged queries."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.catalogue_evaluation import CATALOGUES, DATA_HELP, CatalogueName, CatalogueOptions, open_catalogue
from cli.evaluate import RATING_COLUMNS_HELP, RELEVANCE_ERRORS, check_together, rating_columns, read_judgments
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import load_settings
from cli.wiring import Parts, open_parts
from learning.qrels import RelevanceError
from learning.query_sets import QuerySet
from learning.retrieval_weights import (
    LearnedWeights,
    LearningOptions,
    Quality,
    WeightChoice,
    find_legs,
    learn_weights,
    quality_of,
)
from ranking.fusion import Leg
from ranking.queries import QueryKind
from ranking.settings import LegWeights, RankingSettings

TABLES = {kind: f"{kind}_query" for kind in QueryKind}


@dataclass(frozen=True, slots=True)
class KindResult:
    """`present` is what the weights of the settings reach on the same queries."""

    learned: LearnedWeights
    present: Quality

    def facts(self) -> dict[str, Any]:
        return {
            "queries": self.learned.queries,
            "weights": dict(self.learned.chosen.weights),
            "keyword_places": self.learned.chosen.keyword_places,
            "cross_validated": asdict(self.learned.cross_validated),
            "on_these": asdict(self.learned.on_these),
            "present": asdict(self.present),
        }


def train_retrieval_weights(  # noqa: PLR0913 - each is an option of the command
    ratings: Annotated[
        Path | None,
        typer.Argument(help="CSV with a query, a product id and a rating a row, or TREC qrels. Not needed with --on."),
    ] = None,
    on: Annotated[
        CatalogueName | None,
        typer.Option(
            metavar="CATALOGUE",
            help=f"Learn from a catalogue whose right answers are known ({CATALOGUES}); see `evaluate`.",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help=DATA_HELP, envvar="MILLRACE_DATA")] = Path("../shared/data"),
    work: Annotated[Path | None, typer.Option(help="With --on: data and logs. Default: .bench/relevance/NAME.")] = None,
    reuse_index: Annotated[
        bool, typer.Option("--reuse-index", help="With --on: ask the index that the last run left, fill none.")
    ] = False,
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
    """Choose weights by judged queries: the best mean of NDCG@10 over the judged products alone and over the whole
    index, with what to expect of other queries by cross-validation.

    Prints the lines for the settings file. Needs ten queries at least; fewer than fifty choose by chance. RATINGS and
    --on icecat teach the weights of text queries, --on drawn-shop those of a picture with words. Queries by picture
    alone have one way of finding, so there is nothing to weigh.

    Example: millrace train retrieval-weights ratings.csv --config millrace.toml

    Example: millrace train retrieval-weights --on drawn-shop

    With --json: queries, weights (by leg), keyword_places, cross_validated, on_these and present (judged, full); with
    --on these by kind of query, under kinds.
    """
    output = Output(as_json)
    check_together(on, ratings, {"--work": work, "--reuse-index": reuse_index}, {"--queries": queries})
    with output.failing_on(*RELEVANCE_ERRORS):
        if on is not None:
            opened = _open_known(CatalogueOptions(on, data, ratings, None, work, reuse_index, config), output)
        else:
            judgments = read_judgments(ratings, queries, rating_columns(columns))
            opened = _open_own(QuerySet("text", judgments, pooled=True), config)
        with opened as (query_sets, parts):
            results = _learn(query_sets, parts, LearningOptions(folds, repeats, seed), output)
    for kind, result in results.items():
        output.show(_table(kind, result))
        output.show(settings_lines(result.learned, kind))
    facts = {kind: result.facts() for kind, result in results.items()}
    output.finish({"kinds": facts} if on is not None else facts[QueryKind.TEXT])


@contextmanager
def _open_own(judged: QuerySet, config: Path | None) -> Iterator[tuple[Sequence[QuerySet], Parts]]:
    with open_parts(load_settings(config)) as parts:
        yield [judged], parts


@contextmanager
def _open_known(options: CatalogueOptions, output: Output) -> Iterator[tuple[Sequence[QuerySet], Parts]]:
    with open_catalogue(options, output) as (catalogue, filled):
        yield catalogue.query_sets, filled.parts


def _learn(
    query_sets: Sequence[QuerySet], parts: Parts, options: LearningOptions, output: Output
) -> dict[QueryKind, KindResult]:
    """Of each kind that more than one leg answers. Raises RelevanceError where there is none."""
    results = {}
    settings = parts.settings.ranking
    for kind in (QueryKind.TEXT, QueryKind.TEXT_AND_PICTURE):
        of_kind = [queries for queries in query_sets if queries.kind is kind and queries.teaches]
        if of_kind:
            places = options.keyword_places if kind is QueryKind.TEXT else (settings.keyword_places,)
            results[kind] = _learn_kind(kind, of_kind, parts, _with_places(options, places), output)
    if not results:
        raise RelevanceError("all its queries are by picture alone: one way of finding, so there is nothing to weigh")
    return results


def _learn_kind(
    kind: QueryKind, query_sets: Sequence[QuerySet], parts: Parts, options: LearningOptions, output: Output
) -> KindResult:
    asked = sum(len(queries.judgments.answerable()) for queries in query_sets)
    with closing(parts.search(parts.words())) as search, output.counting(f"asking, {kind}", asked) as on_query:
        found, judgments = find_legs(search, query_sets, on_query)
    with output.progress("measuring", 1.0) as advance:
        learned = learn_weights(
            found, judgments, options, lambda done, of: advance(done / of, f"{done} of {of} weights")
        )
    return KindResult(learned, quality_of(_present(kind, parts.settings.ranking), found, judgments))


def _with_places(options: LearningOptions, places: tuple[int, ...]) -> LearningOptions:
    return LearningOptions(options.folds, options.repeats, options.seed, places)


def _present(kind: QueryKind, settings: RankingSettings) -> WeightChoice:
    weights: LegWeights = getattr(settings, TABLES[kind])
    return WeightChoice(weights.by_leg(), settings.keyword_places)


def settings_lines(learned: LearnedWeights, kind: QueryKind = QueryKind.TEXT) -> str:
    """What to put into the settings file."""
    weights: Mapping[Leg, float] = learned.chosen.weights
    lines = [f"{leg} = {weights[leg]:g}" for leg in weights]
    of_all = ["[ranking]", f"keyword_places = {learned.chosen.keyword_places}", ""] if kind is QueryKind.TEXT else []
    return "\n".join([*of_all, f"[ranking.{TABLES[kind]}]", *lines]).replace("[", r"\[")


def _table(kind: QueryKind, result: KindResult) -> Table:
    table = Table(title=f"{kind}: NDCG@10 over {result.learned.queries} queries", box=None)
    for heading in ("", "judged only", "full index"):
        table.add_column(heading)
    table.add_row("to expect of other queries (cross-validated)", *_cells(result.learned.cross_validated))
    table.add_row("on the queries that the weights were chosen by", *_cells(result.learned.on_these))
    table.add_row("with the weights of the settings", *_cells(result.present))
    return table


def _cells(quality: Quality) -> tuple[str, str]:
    return f"{quality.judged:.3f}", f"{quality.full:.3f}"
