"""One worker process: pipeline, Faust app, watchdog, and the ways in which it may end."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import faust
from faust.types.tuples import TP

from monitoring.metrics import Metrics
from streams.app import create_app
from streams.backfill import Backfill, CatchUp
from streams.ending import EXIT_STALLED, BoundedWorker, end_process, spare_the_collector
from streams.indexer import Indexer, IndexerParts
from streams.membership import Membership
from streams.pipeline import Pipeline
from streams.reporting import Reporter
from streams.settings import WorkerSettings
from streams.watchdog import Watchdog
from topics.catalogue import CATALOG_PRODUCTS, index_products_group
from topics.publisher import Publisher
from topics.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What a worker works with; a `backfill` makes it one. `membership` is that of the worker whose place it takes.

    `records_wait` tells whether records wait behind the commits of these partitions.
    """

    indexer: IndexerParts
    publisher: Publisher
    records_wait: Callable[[frozenset[int]], bool]
    backfill: Backfill | None = None
    membership: Membership | None = None


def run_worker(settings: WorkerSettings, kafka: KafkaSettings, parts: WorkerParts) -> None:
    """Index products until SIGTERM or SIGINT, then finish what is in flight, commit, and raise SystemExit.

    On anything unexpected the process ends at once with code 70; when it is stalled, or cannot finish within
    `stop_seconds`, with 75: nothing in flight is acknowledged, and whoever supervises it starts a fresh one.
    """
    alias = parts.backfill.alias if parts.backfill is not None else ""
    pipeline, reporter = _create_pipeline(settings, parts, alias)
    app = create_app(settings, kafka, pipeline, end_process, index_products_group(alias), parts.membership)
    assignment = _Assignment(parts.indexer.metrics, kafka.on_broker(CATALOG_PRODUCTS))
    app.on_partitions_assigned.connect(assignment.on_partitions_assigned, weak=False)
    watchdog = Watchdog(pipeline, lambda: parts.records_wait(assignment.partitions), settings.stalled_seconds)
    spare_the_collector()
    pipeline.start()
    watchdog.start(lambda: os._exit(EXIT_STALLED))
    if parts.backfill is not None:
        CatchUp(parts.backfill, lambda: reporter.reported).start(max(2.0, 2 * settings.commit_interval_seconds))
    options = {"quiet": True, "loglevel": logging.WARNING, "override_logging": False}
    BoundedWorker(app, settings.stop_seconds, **options).execute_from_commandline()


def _create_pipeline(settings: WorkerSettings, parts: WorkerParts, alias: str) -> tuple[Pipeline, Reporter]:
    def on_failure(detail: str) -> NoReturn:
        end_process(RuntimeError(f"the broker did not take a message: {detail}"))

    metrics = parts.indexer.metrics
    indexer = Indexer(parts.indexer, settings.picture_fetchers)
    reporter = Reporter(parts.publisher, metrics, indexer.releases, on_failure, backfill_alias=alias)
    pipeline = Pipeline(indexer, reporter, metrics, settings.batch_wait_seconds, end_process)
    indexer.on_wait = pipeline.touch
    return pipeline, reporter


class _Assignment:
    """The partitions that this worker indexes, for the watchdog and the gauge; empty until the group has met."""

    def __init__(self, metrics: Metrics, topic: str) -> None:
        self._metrics = metrics
        self._topic = topic
        self.partitions: frozenset[int] = frozenset()

    async def on_partitions_assigned(self, app: faust.App, assigned: set[TP], **_: object) -> None:
        self.partitions = frozenset(place.partition for place in assigned if place.topic == self._topic)
        self._metrics.partitions_assigned.set(len(self.partitions))
