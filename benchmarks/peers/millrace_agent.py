"""Millrace's own agent, whole, and an agent that only acknowledges its record batches."""

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import faust

from benchmarks.peers.job import Meter, NullAnalyser, NullEncoder, NullIndex, Task
from benchmarks.peers.plain_faust import work
from encoders.image_sources import ImageSource
from encoders.settings import ImageLimits, ImageSourceSettings
from monitoring.exposition import create_registry
from monitoring.metrics import Metrics, create_metrics
from streams.app import create_app
from streams.ending import end_process, spare_the_collector
from streams.indexer import Indexer, IndexerParts
from streams.pipeline import Pipeline
from streams.records import Record
from streams.reporting import Reporter
from streams.settings import WorkerSettings
from topics.codec import ProductCodec
from topics.publisher import Publisher
from topics.settings import KafkaSettings


def run_job(task: Task) -> None:
    metrics, meter = create_metrics(create_registry()), Meter(task.events)
    indexer = _indexer(metrics)
    reporter = Reporter(Publisher(_kafka(task), "benchmark"), metrics, indexer.releases, sys.exit)
    pipeline = _MeteredPipeline(indexer, reporter, metrics, WorkerSettings().batch_wait_seconds, end_process)
    pipeline.meter = meter
    _finish_after(task, meter, pipeline)
    spare_the_collector()
    pipeline.start()
    work(_app(task, pipeline))


class _MeteredPipeline(Pipeline):
    meter: Meter

    def submit(self, records: Sequence[Record], acknowledge: Callable[[], None]) -> None:
        self.meter.saw(len(records))
        super().submit(records, acknowledge)


class _NoPipeline:
    """Acknowledges at once."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.in_flight = 0

    def submit(self, records: Sequence[Record], acknowledge: Callable[[], None]) -> None:
        self.meter.saw(len(records))
        acknowledge()


def run_loop(task: Task) -> None:
    pipeline: Any = _NoPipeline(Meter(task.events))
    _finish_after(task, pipeline.meter, pipeline)
    spare_the_collector()
    work(_app(task, pipeline))


def _indexer(metrics: Metrics) -> Indexer:
    encoder = NullEncoder()
    parts = IndexerParts(
        ProductCodec(),
        NullIndex(),
        NullAnalyser(),
        encoder,
        encoder,
        ImageSource(ImageSourceSettings()),
        ImageLimits(),
        metrics,
    )
    return Indexer(parts, WorkerSettings().picture_fetchers)


def _kafka(task: Task) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=task.bootstrap_servers)


def _app(task: Task, pipeline: Pipeline) -> faust.App:
    return create_app(WorkerSettings(), _kafka(task), pipeline, end_process, task.group)


def _finish_after(task: Task, meter: Meter, pipeline: Pipeline) -> None:
    def watch() -> None:
        while meter.seen < task.events or pipeline.in_flight:
            time.sleep(0.05)
        meter.finish()

    threading.Thread(target=watch, daemon=True).start()


_ROLES: Mapping[str, Callable[[Task], None]] = {"job": run_job, "loop": run_loop}

if __name__ == "__main__":
    _ROLES[sys.argv[1]](Task.from_arguments())
