"""`millrace evaluate relevance`: how well search answers queries whose right answers are known."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.catalogue_evaluation import CATALOGUES, DATA_HELP, CatalogueName, CatalogueOptions, evaluate_catalogue
from cli.freshness import FollowingFailed
from cli.local_stack import StackError
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.relevance_report import measure_relevance, relevance_table
from cli.run_folder import write_runs
from cli.settings import SettingsError, load_settings
from cli.wiring import open_parts
from encoders.base import EncoderError
from index.base import IndexRefused, IndexUnavailable
from learning.qrels import (
    Judgments,
    RatingColumns,
    RelevanceError,
    read_csv_ratings,
    read_trec_qrels,
    read_trec_run,
    write_trec_qrels,
    write_trec_run,
)
from learning.query_sets import AS_SERVED, QuerySet
from learning.relevance import RelevanceOptions
from learning.relevance_runs import LegSearcher
from monitoring.lag import LagUnavailable
from ranking.fusion import Leg
from topics.admin import BrokerError
from topics.catalogue_files import CatalogueFileError
from topics.catalogue_pictures import CataloguePicturesError
from topics.embedded_broker import EmbeddedBrokerError

RATING_COLUMNS_HELP = "CSV columns of query, product id and rating."
RELEVANCE_ERRORS = (
    SettingsError, RelevanceError, EncoderError, IndexUnavailable, IndexRefused, StackError, EmbeddedBrokerError,
    BrokerError, CatalogueFileError, CataloguePicturesError, FollowingFailed, LagUnavailable, OSError,
)  # fmt: skip
_TAG = "millrace"


@dataclass(frozen=True, slots=True)
class RatedQueries:
    """The shop's own judged queries, asked of the index of the settings."""

    judgments: Judgments
    legs: list[Leg] | None
    run_file: Path | None
    against: Path | None
    runs: Path | None
    config: Path | None


def read_judgments(ratings: Path | None, queries: Path | None, columns: RatingColumns) -> Judgments:
    """TREC qrels when there is a file of queries, else CSV. Raises RelevanceError."""
    if ratings is None:
        raise RelevanceError("no file of ratings is given")
    return read_csv_ratings(ratings, columns) if queries is None else read_trec_qrels(ratings, queries)


def relevance_command(  # noqa: PLR0913 - each is an option of the command
    ratings: Annotated[
        Path | None,
        typer.Argument(help="CSV with a query, a product id and a rating a row, or TREC qrels. Not needed with --on."),
    ] = None,
    on: Annotated[
        CatalogueName | None,
        typer.Option(
            metavar="CATALOGUE",
            help=f"Measure on a catalogue whose right answers are known ({CATALOGUES}), instead of on the index of the "
            "settings: it is streamed into an embedded index first.",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help=DATA_HELP, envvar="MILLRACE_DATA")] = Path("../shared/data"),
    photos: Annotated[
        Path | None,
        typer.Option(
            help="With --on groceries: a CSV of other photos, with columns `file` and `class_name` or `class_id`."
        ),
    ] = None,
    work: Annotated[Path | None, typer.Option(help="With --on: data and logs. Default: .bench/relevance/NAME.")] = None,
    reuse_index: Annotated[
        bool, typer.Option("--reuse-index", help="With --on: ask the index that the last run left, fill none.")
    ] = False,
    queries: Annotated[
        Path | None, typer.Option(help="Makes RATINGS TREC qrels: the queries' texts, `query_id<tab>text`.")
    ] = None,
    columns: Annotated[str, typer.Option(help=RATING_COLUMNS_HELP)] = "query,docid,rating",
    threshold: Annotated[int, typer.Option(min=1, help="Least rating that is relevant in P, R, F1, AP and RR.")] = 2,
    cutoff: Annotated[int, typer.Option(min=1, max=1000, help="The k of NDCG@k, P@k and F1@k.")] = 10,
    leg: Annotated[
        list[Leg] | None,
        typer.Option(metavar="LEG", help=f"Only this way of finding, one of {', '.join(Leg)}; repeat for several."),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(help="Write TREC runs and qrels into this folder, with what `millrace evaluate compare` shows."),
    ] = None,
    run_file: Annotated[
        Path | None, typer.Option(help="Write the rankings as a TREC run, with FILE.qrels and FILE.queries beside it.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An earlier run file: show the paired difference to it.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Ask queries whose right answers are known, and show how well they are answered, with 95 % bootstrap intervals.

    RATINGS are asked of the index of the settings: NDCG, P, R, F1, AP (mAP) and RR (MRR). "judged only" ranks just the
    judged products of each query; "full index" counts unjudged products as irrelevant, and so favours the kind of
    search that the judgments were drawn from: look at both, and at the judged share.

    --on icecat: 19,406 electronics, queries by words (about ten minutes on two cores). --on groceries: 81 products,
    queries are photos from shops; R@k is the share of queries with a right product among the first k, fine: the
    product, coarse: its category. --on drawn-shop: 3,840 drawn pictures, queries in English and Chinese, by picture,
    and by picture with words. All by the pipeline that serves: broker, worker, index, search.

    Example: millrace evaluate relevance ratings.csv --run-file today.run --against yesterday.run

    Example: millrace evaluate relevance --on groceries --photos my_photos.csv --json

    Example: millrace evaluate relevance --on icecat --reuse-index --config other.toml --runs runs/other

    With --json: queries, queries_without_a_positive_rating, options, judged and full (mean, low, high by measure), and
    with --against full_minus_other_run. With --on: on, products, text_encoder, image_encoder, and query_sets (by name:
    queries, systems (by name: full, and judged where only some products are)).
    """
    output = Output(as_json)
    of_on = {"--photos": photos, "--work": work, "--reuse-index": reuse_index}
    check_together(
        on, ratings, of_on, {"--queries": queries, "--leg": leg, "--run-file": run_file, "--against": against}
    )
    options = RelevanceOptions(threshold=threshold, cutoff=cutoff, seed=seed)
    with output.failing_on(*RELEVANCE_ERRORS):
        if on is not None:
            chosen = CatalogueOptions(on, data, ratings, photos, work, reuse_index, config)
            facts = evaluate_catalogue(chosen, options, runs, output)
        else:
            judgments = read_judgments(ratings, queries, rating_columns(columns))
            facts = _evaluate_ratings(RatedQueries(judgments, leg, run_file, against, runs, config), options, output)
    output.finish(facts)


def rating_columns(text: str) -> RatingColumns:
    """Of an option. Raises typer.BadParameter."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 3 or not all(names):
        raise typer.BadParameter(f"{text!r}: write three column names, such as query,docid,rating")
    return RatingColumns(*names)


def _evaluate_ratings(asked: RatedQueries, options: RelevanceOptions, output: Output) -> dict[str, Any]:
    other_run = None if asked.against is None else read_trec_run(asked.against)
    with open_parts(load_settings(asked.config)) as parts, closing(parts.search(parts.words())) as search:
        result = measure_relevance(LegSearcher(search, asked.legs), asked.judgments, options, output, other_run)
        if asked.runs is not None:
            system = " ".join(asked.legs) if asked.legs else AS_SERVED
            write_runs(asked.runs, QuerySet("text", asked.judgments), {system: result.run}, parts)
    if asked.run_file is not None:
        write_trec_run(result.run, asked.run_file, _TAG)
        write_trec_qrels(asked.judgments, asked.run_file.with_suffix(".qrels"), asked.run_file.with_suffix(".queries"))
    output.show(relevance_table(result))
    if result.full.left_out:
        output.note(f"{result.full.left_out} queries have no rating above 0 and are left out")
    return result.facts(options)


def check_together(
    on: CatalogueName | None,
    ratings: Path | None,
    with_on: Mapping[str, object],
    with_ratings: Mapping[str, object],
) -> None:
    """Raises typer.BadParameter: `with_on` belong to --on, `with_ratings` to RATINGS of an index of one's own."""
    if on is not CatalogueName.GROCERIES and with_on.get("--photos"):
        raise typer.BadParameter("--photos are of the groceries: add --on groceries")
    strangers = [name for name, value in (with_on if on is None else with_ratings).items() if value]
    if strangers:
        raise typer.BadParameter(f"{strangers[0]} {'goes' if on is None else 'does not go'} with --on NAME")
    if on is None and ratings is None:
        raise typer.BadParameter("give a file of RATINGS, or a catalogue: --on icecat, groceries or drawn-shop")
    if ratings is not None and on not in (None, CatalogueName.ICECAT):
        raise typer.BadParameter(f"{on} brings its own answers: leave RATINGS out")
