"""One worker process: pipeline, Faust app, watchdog, and the ways in which it may end."""

import gc
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import faust
from faust.types.tuples import TP

from monitoring.metrics import Metrics
from streams.app import create_app
from streams.indexer import Indexer, IndexerParts
from streams.pipeline import Pipeline
from streams.reporting import Reporter
from streams.settings import WorkerSettings
from streams.watchdog import Watchdog
from topics.catalogue import CATALOG_PRODUCTS
from topics.publisher import Publisher
from topics.settings import KafkaSettings

logger = logging.getLogger(__name__)

EXIT_UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h
EXIT_STALLED = 75  # EX_TEMPFAIL


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker works with. `records_wait` tells whether records wait behind the commits of these partitions."""

    indexer: IndexerParts
    publisher: Publisher
    records_wait: Callable[[frozenset[int]], bool]


def run_worker(settings: WorkerSettings, kafka: KafkaSettings, parts: WorkerParts) -> None:
    """Index products until SIGTERM or SIGINT, then finish what is in flight, commit, and raise SystemExit.

    On anything unexpected the process ends at once with code 70, when it is stalled with 75: nothing in flight is
    acknowledged, and whoever supervises it starts a fresh one.
    """
    pipeline = _create_pipeline(settings, parts)
    app = create_app(settings, kafka, pipeline, end_process)
    assignment = _Assignment(parts.indexer.metrics, kafka.on_broker(CATALOG_PRODUCTS))
    app.on_partitions_assigned.connect(assignment.on_partitions_assigned, weak=False)
    watchdog = Watchdog(pipeline, lambda: parts.records_wait(assignment.partitions), settings.stalled_seconds)
    gc.freeze()  # models and libraries stay: the collector need not walk through them again and again
    pipeline.start()
    watchdog.start(lambda: os._exit(EXIT_STALLED))
    faust.Worker(app, quiet=True, loglevel=logging.WARNING, override_logging=False).execute_from_commandline()


def end_process(error: BaseException) -> NoReturn:
    """The end on anything unexpected: no handler of Faust runs, so nothing in flight is acknowledged or committed."""
    logger.critical("Ending this worker; what was in flight is read again after the restart", exc_info=error)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(EXIT_UNEXPECTED)


def _create_pipeline(settings: WorkerSettings, parts: WorkerParts) -> Pipeline:
    def on_failure(detail: str) -> NoReturn:
        end_process(RuntimeError(f"the broker did not take a message: {detail}"))

    metrics = parts.indexer.metrics
    indexer = Indexer(parts.indexer, settings.picture_fetchers)
    reporter = Reporter(parts.publisher, metrics, indexer.releases, on_failure)
    pipeline = Pipeline(indexer, reporter, metrics, settings.batch_wait_seconds, end_process)
    indexer.on_wait = pipeline.touch
    return pipeline


class _Assignment:
    """The partitions that this worker indexes, for the watchdog and the gauge; empty until the group has met."""

    def __init__(self, metrics: Metrics, topic: str) -> None:
        self._metrics = metrics
        self._topic = topic
        self.partitions: frozenset[int] = frozenset()

    async def on_partitions_assigned(self, app: faust.App, assigned: set[TP], **_: object) -> None:
        self.partitions = frozenset(place.partition for place in assigned if place.topic == self._topic)
        self._metrics.partitions_assigned.set(len(self.partitions))
