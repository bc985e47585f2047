"""`millrace real-data`: a real catalogue through the whole path, measured beside published baselines."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.catalogue_streaming import CatalogueSource, Streamed, stream_catalogue, until_indexed
from cli.evaluate import read_judgments
from cli.freshness import FollowingFailed, IndexingFollower, Percentiles
from cli.import_products import find_mapping
from cli.local_settings import embedded_settings
from cli.local_stack import LocalStack, StackError, make_room
from cli.output import JSON_HELP, Output
from cli.relevance_report import RelevanceResult, measure_relevance
from cli.settings import Settings, SettingsError, load_settings
from cli.wiring import open_parts, open_publisher
from encoders.base import EncoderError
from index.base import IndexRefused, IndexUnavailable
from learning.qrels import Judgments, RatingColumns, RelevanceError
from learning.relevance import RelevanceOptions
from learning.relevance_runs import LegSearcher
from ranking.fusion import Leg
from ranking.search import Search
from topics.admin import BrokerError
from topics.catalogue import CATALOG_PRODUCTS
from topics.catalogue_files import BadLine, CatalogueFile, CatalogueFileError
from topics.catalogue_import import ProductReader
from topics.codec import encode_product
from topics.embedded_broker import EmbeddedBrokerError
from topics.events import Product

_MAPPING = "icecat_chorus"
_NDCG = "NDCG@10"
_START_SECONDS = 180.0
_PROBE_SECONDS = 20.0

# Measured with bm25s (k1 1.2, b .75, stemmed) and all-MiniLM-L6-v2 (fp32) on title and short description, exactly, on
# the 75 answerable queries of the shared ratings. Each is (judged only, full index). Of hybrid, more is asked than the
# best leg reaches in each view; the min-max weighted sum of both legs is at .877/.753 (halves) or .902/.743 (.7 dense).
BASELINES: Mapping[str, tuple[float, float]] = {
    "dense": (0.915, 0.582),
    "BM25": (0.835, 0.730),
    "hybrid": (0.915, 0.76),
}
_SYSTEMS: Mapping[str, tuple[Leg, ...]] = {
    "dense": (Leg.TEXT,),
    "BM25": (Leg.KEYWORDS,),
    "hybrid": (Leg.TEXT, Leg.KEYWORDS),
}


def real_data_command(
    folder: Annotated[Path, typer.Argument(help="The data set icecat_chorus: products.jsonl.gz and ratings.csv.")],
    ratings: Annotated[
        Path | None, typer.Option(help="Other ratings of the same catalogue (query,docid,rating).")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only so many products; 0: all 19,406.")] = 0,
    work: Annotated[Path, typer.Option(help="Data and logs of this run.")] = Path(".bench/real-data"),
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Stream the Icecat catalogue through broker, worker and Milvus Lite, then measure how well it is searched.

    Takes five to ten minutes on two cores: the encoder reads every product.

    Example: millrace real-data ../shared/data/icecat_chorus --json

    With --json: products, indexed, dead_letters, products_per_second, freshness_seconds (p50, p99 at half load),
    queries, ndcg (by system, each with judged, full, their intervals, and baseline_judged, baseline_full), failures.
    """
    output = Output(as_json)
    expected = (
        SettingsError, StackError, EmbeddedBrokerError, IndexUnavailable, IndexRefused, EncoderError, BrokerError,
        CatalogueFileError, RelevanceError, FollowingFailed,
    )  # fmt: skip
    with output.failing_on(*expected):
        judgments = read_judgments(ratings or folder / "ratings.csv", None, RatingColumns())
        settings = embedded_settings(load_settings(), work)
        make_room(work)
        with ExitStack() as exits:
            stack = exits.enter_context(LocalStack(work, settings, server=False))
            with output.waiting("starting broker, Milvus Lite and worker"):
                stack.wait_until_ready(_START_SECONDS)
            source = folder / "products.jsonl.gz"
            streamed = stream_catalogue(CatalogueSource(source, _MAPPING, limit=limit), stack.settings, output)
            with open_parts(stack.settings) as parts:
                parts.index.flush()
                with closing(parts.search(parts.words())) as search:
                    results = measure_systems(search, judgments, output)
            rate = max(1.0, streamed.products_per_second / 2)
            freshness = probe_freshness(source, stack.settings, rate)
            failures = _failures(streamed, stack)
    _tell(output, streamed, freshness, results, failures)


def measure_systems(search: Search, judgments: Judgments, output: Output) -> dict[str, RelevanceResult]:
    """NDCG of each leg alone and of both together, by the pipeline that serves."""
    return {
        name: measure_relevance(LegSearcher(search, legs), judgments, RelevanceOptions(), output)
        for name, legs in _SYSTEMS.items()
    }


def probe_freshness(source: Path, settings: Settings, rate: float) -> Percentiles:
    """Send copies of products under new ids at `rate` a second, one by one, and see when each is searchable."""
    probes = list(islice(_copies(source, settings), max(20, int(rate * _PROBE_SECONDS))))
    with IndexingFollower(settings.kafka) as follower, open_publisher(settings, "millrace-probe") as publisher:
        for _ in _until_quiet(follower):
            pass
        before, measured = follower.events, follower.measured
        due = time.monotonic()
        for product in probes:
            publisher.publish(CATALOG_PRODUCTS, product.id.encode(), encode_product(product))
            due += 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))
        for _ in until_indexed(follower, before + len(probes)):
            pass
        return follower.freshness(measured)


def _copies(source: Path, settings: Settings) -> Iterator[Product]:
    reader = ProductReader(find_mapping(_MAPPING), datetime.now(UTC), settings.kafka.max_event_bytes)
    with CatalogueFile(source) as opened:
        for item in reader.products(opened.records()):
            if not isinstance(item, BadLine):
                yield item.product.model_copy(update={"id": f"probe-{item.product.id}"})


def _until_quiet(follower: IndexingFollower) -> Iterator[int]:
    """A follower reads from the start: gives counts until what was there before has been read."""
    done = -1
    while follower.events > done:
        done = follower.events
        yield done
        time.sleep(1.0)


def _failures(streamed: Streamed, stack: LocalStack) -> list[str]:
    failures = streamed.failures()
    if stack.restarts:
        failures.append(f"processes were restarted {stack.restarts} times")
    return failures


def _tell(
    output: Output,
    streamed: Streamed,
    freshness: Percentiles,
    results: Mapping[str, RelevanceResult],
    failures: list[str],
) -> None:
    output.show(
        f"{streamed.indexed} of {streamed.sent} products indexed in {streamed.seconds:.0f} s: "
        f"{streamed.products_per_second} a second\n"
        f"event to searchable at half that rate: p50 {freshness.p50 * 1000:.0f} ms, p99 {freshness.p99 * 1000:.0f} ms "
        f"({freshness.events} events)"
    )
    table = Table("NDCG@10", "judged only", "baseline", "full index", "baseline")
    ndcg = {}
    for name, result in results.items():
        judged, full = result.judged.intervals[_NDCG], result.full.intervals[_NDCG]
        base_judged, base_full = BASELINES[name]
        table.add_row(name, f"{judged.mean:.3f}", f"{base_judged:.3f}", f"{full.mean:.3f}", f"{base_full:.3f}")
        ndcg[name] = {
            "judged": judged.mean,
            "judged_interval": [judged.low, judged.high],
            "baseline_judged": base_judged,
            "full": full.mean,
            "full_interval": [full.low, full.high],
            "baseline_full": base_full,
        }
    output.show(table)
    output.note("The baselines were measured on the shared ratings; with others, compare the systems with one another.")
    facts: dict[str, Any] = {
        "products": streamed.sent,
        "indexed": streamed.indexed,
        "dead_letters": dict(streamed.dead_letters),
        "products_per_second": streamed.products_per_second,
        "freshness_seconds": {"p50": freshness.p50, "p99": freshness.p99},
        "queries": len(next(iter(results.values())).full.query_ids),
        "ndcg": ndcg,
        "failures": failures,
    }
    if failures:
        output.fail("; ".join(failures), facts)
    output.finish(facts)
