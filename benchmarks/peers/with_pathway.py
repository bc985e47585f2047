"""pathway: its Kafka connectors, batches by its own UDF, persistence on."""

import sys
from collections.abc import Callable, Mapping

import pathway as pw

from benchmarks.peers.job import BATCH, Job, Meter, Received, Task
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS


def _products(task: Task) -> pw.Table:
    """It reads to the end of the topic; with the same source in "streaming" it would not end."""
    settings = {"bootstrap.servers": task.bootstrap_servers, "group.id": task.group, "auto.offset.reset": "earliest"}
    return pw.io.kafka.read(
        settings,
        CATALOG_PRODUCTS,
        format="raw",
        mode="static",
        with_metadata=True,
        name="products",
        autogenerate_key=True,
    )


def _run(task: Task, meter: Meter) -> None:
    backend = pw.persistence.Backend.filesystem(task.folder)
    pw.run(
        monitoring_level=pw.MonitoringLevel.NONE,
        persistence_config=pw.persistence.Config(backend, snapshot_interval_ms=1_000),
    )
    meter.finish()


def run_job(task: Task) -> None:
    products, meter, job = _products(task), Meter(task.events), Job()

    @pw.udf(max_batch_size=BATCH, deterministic=True)  # type: ignore[untyped-decorator]
    def index(keys: list[bytes], values: list[bytes], metadata: list[pw.Json]) -> list[bytes]:
        meter.saw(len(keys))
        rows = zip(keys, values, metadata, strict=True)
        return job.index([Received(key, value, about["timestamp_millis"].as_int()) for key, value, about in rows])

    outcomes = products.select(pw.this.key, outcome=index(pw.this.key, pw.this.data, pw.this._metadata))
    settings = {"bootstrap.servers": task.bootstrap_servers}
    pw.io.kafka.write(outcomes, settings, CATALOG_INDEXED, format="raw", key=outcomes.key, value=outcomes.outcome)
    _run(task, meter)


def run_loop(task: Task) -> None:
    products, meter = _products(task), Meter(task.events)

    @pw.udf(max_batch_size=BATCH, deterministic=True)  # type: ignore[untyped-decorator]
    def count(values: list[bytes]) -> list[int]:
        meter.saw(len(values))
        return [0] * len(values)

    pw.io.null.write(products.select(none=count(pw.this.data)))
    _run(task, meter)


_ROLES: Mapping[str, Callable[[Task], None]] = {"job": run_job, "loop": run_loop}

if __name__ == "__main__":
    _ROLES[sys.argv[1]](Task.from_arguments())
