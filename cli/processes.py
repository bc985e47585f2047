"""`millrace worker` and `millrace serve`: the two processes that run in production."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import setproctitle

from cli.settings import Settings, SettingsError
from cli.wiring import Parts, index_products_lag, open_parts, open_publisher
from encoders.image_sources import ImageSource
from monitoring.exposition import render, serve_metrics
from monitoring.lag import GroupLag
from serving.app import create_app
from serving.server import run_server
from serving.services import Services
from streams.indexer import IndexerParts
from streams.settings import WorkerSettings
from streams.worker import WorkerParts, run_worker
from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import TOPICS
from topics.codec import ProductCodec
from topics.publisher import Publisher

logger = logging.getLogger(__name__)

_ORPHAN_SECONDS = 10.0

_OUTAGE_SECONDS = 7 * 86_400.0  # a worker waits for a broker that is away; nothing is acknowledged meanwhile


def worker(settings: Settings) -> None:
    """Index products until a signal; raises SystemExit with the code of the end."""
    setproctitle.setproctitle("millrace worker")
    _require_shared_index(settings)
    _require_topics(settings)
    with (
        open_parts(settings, create_collection=True) as parts,
        open_publisher(settings, "millrace-worker", _OUTAGE_SECONDS) as publisher,
    ):
        port = _serve_metrics(parts, settings.worker)
        logger.info(
            "Indexing %s into %s; metrics on http://%s:%d/metrics",
            TOPICS[0].name,
            settings.index.uri,
            settings.worker.metrics_host,
            port,
        )
        with index_products_lag(settings) as lag:
            run_worker(settings.worker, settings.kafka, _worker_parts(parts, publisher, lag))


def serve(settings: Settings) -> None:
    """Answer HTTP until a signal."""
    setproctitle.setproctitle("millrace serve")
    _require_shared_index(settings)
    with (
        open_parts(settings, create_collection=True) as parts,
        open_publisher(settings, "millrace-serve") as publisher,
        open_services(parts, publisher) as services,
    ):
        run_server(create_app(settings.server, services), settings.server)


def end_with_stdin() -> None:
    """For a child of `millrace demo`:

    end as on SIGTERM once the parent has closed our standard input, however it ended; at once where that takes too
    long, since the broker and the index may have ended, too.
    """

    def wait() -> None:
        while os.read(0, 4096):  # sys.stdin's lock, held here, would abort the interpreter at its end
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, name="end with stdin", daemon=True).start()


def _serve_metrics(parts: Parts, settings: WorkerSettings) -> int:
    try:
        return serve_metrics(parts.registry, settings.metrics_host, settings.metrics_port)
    except OSError as error:
        address = f"{settings.metrics_host}:{settings.metrics_port}"
        raise SettingsError(
            f"metrics cannot be served on {address}: {error.strerror}; change worker.metrics_port"
        ) from None


def _require_shared_index(settings: Settings) -> None:
    if settings.index.kind == "memory":
        raise SettingsError(
            "index.kind = memory lives in one process and dies with it: set milvus for worker and serve"
        )


def _require_topics(settings: Settings) -> None:
    """Faust waits silently and for ever for a topic that is not there."""
    missing = [report.name for report in TopicAdmin(settings.kafka).inspect(TOPICS) if report.state == "missing"]
    if missing:
        raise BrokerError(f"missing topics: {', '.join(missing)}. Make them with `millrace topics apply`")


def _worker_parts(parts: Parts, publisher: Publisher, lag: GroupLag) -> WorkerParts:
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
    return WorkerParts(indexer, publisher, lag.records_wait)


@contextmanager
def open_services(parts: Parts, publisher: Publisher) -> Iterator[Services]:
    """What the HTTP API works with. `parts` and `publisher` stay open."""
    workers = parts.settings.encoders.image_sources
    # Strangers ask: no way into the private network, and an answer at once, as for an address that is private.
    shoppers = workers.model_copy(update={"allowed_private_hosts": (), "file_root": "", "retries": 0})
    with closing(parts.search()) as search, ImageSource(shoppers) as images:
        yield Services(
            search=search,
            index=parts.index,
            publisher=publisher,
            images=images,
            image_limits=workers.limits,
            metrics=parts.metrics,
            render_metrics=lambda: render(parts.registry),
            clock=lambda: datetime.now(UTC),
            media_root=Path(workers.file_root) if workers.file_root else None,
        )
