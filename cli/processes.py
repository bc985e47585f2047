"""`millrace worker`: its parts and its processes."""

import importlib
import logging

import setproctitle
from pydantic import ValidationError

from cli.lifetimes import run_in_children
from cli.process_checks import require_shared_index, require_topics, serve_process_metrics
from cli.settings import Settings, SettingsError, changed_settings
from cli.wiring import Parts, index_products_lag, open_parts, open_publisher
from encoders.factory import import_libraries
from index.settings import CollectionClaim
from monitoring.lag import GroupLag
from streams.backfill import Backfill
from streams.ending import EXIT_STALLED, EXIT_UNEXPECTED
from streams.indexer import IndexerParts
from streams.membership import Membership
from streams.worker import WorkerParts, run_worker
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic, index_products_group
from topics.codec import ProductCodec
from topics.publisher import Publisher

logger = logging.getLogger(__name__)

_WORKER_TOPICS = (CATALOG_PRODUCTS, CATALOG_INDEXED, dead_letter_topic(CATALOG_PRODUCTS))

_OUTAGE_SECONDS = 7 * 86_400.0  # a worker waits for a broker that is away; nothing is acknowledged meanwhile


def worker(settings: Settings, backfill_alias: str = "", membership: Membership | None = None) -> None:
    """Index products until a signal; raises SystemExit with the code of the end.

    With a `backfill_alias`, into the collection behind it, from the topic's beginning, in a consumer group of its own.
    """
    setproctitle.setproctitle("millrace worker")
    require_shared_index(settings)
    claim = None
    if backfill_alias:
        group = settings.kafka.on_broker(index_products_group(backfill_alias))
        claim = CollectionClaim(group, settings.index.alias)
        settings = _beside(settings, backfill_alias)
    require_topics(settings, _WORKER_TOPICS)
    with (
        open_parts(settings, create_collection=True, claim=claim) as parts,
        open_publisher(settings, "millrace-worker", _OUTAGE_SECONDS) as publisher,
    ):
        port = serve_process_metrics(parts.registry, settings.worker, "worker")
        logger.info(
            "Indexing %s into %s at %s; metrics on http://%s:%d/metrics",
            settings.kafka.on_broker(CATALOG_PRODUCTS),
            settings.index.alias,
            settings.index.uri,
            settings.worker.metrics_host,
            port,
        )
        # Not to be closed: the threads that look at these go on until the process ends. Each needs one of its own.
        lag = index_products_lag(settings, backfill_alias)
        own = Backfill(backfill_alias, index_products_lag(settings, backfill_alias)) if backfill_alias else None
        run_worker(settings.worker, settings.kafka, _worker_parts(parts, publisher, lag, own, membership))


def restart_worker(settings: Settings, with_stdin: bool) -> Membership:
    """Returns in each child process that is to be a worker, with what they share. What takes a worker longest to start
    is loaded once.
    """
    if settings.index.kind == "milvus":
        importlib.import_module("index.milvus")
    import_libraries(settings.encoders)
    membership = Membership()
    run_in_children("millrace worker", (EXIT_UNEXPECTED, EXIT_STALLED), with_stdin)
    return membership


def _beside(settings: Settings, alias: str) -> Settings:
    """The same settings for the collection behind another alias."""
    if alias == settings.index.alias:
        raise SettingsError(
            f"{alias!r} is index.alias, the live collection: give another --alias, such as {alias}_next"
        )
    try:
        return changed_settings(settings, {"index": {"alias": alias}})
    except ValidationError:
        raise SettingsError(f"--alias {alias!r} is no name of a collection: use letters, digits and _") from None


def _worker_parts(
    parts: Parts, publisher: Publisher, lag: GroupLag, backfill: Backfill | None, membership: Membership | None
) -> WorkerParts:
    settings = parts.settings
    indexer = IndexerParts(
        codec=ProductCodec(settings.kafka.product_mapping, settings.kafka.max_event_bytes),
        index=parts.index,
        analyser=parts.analyser,
        text_encoder=parts.text_encoder,
        image_encoder=parts.image_encoder,
        images=parts.images,
        image_limits=settings.encoders.image_sources.limits,
        metrics=parts.metrics,
    )
    return WorkerParts(indexer, publisher, lag.records_wait, backfill, membership)
