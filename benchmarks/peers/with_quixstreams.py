"""quixstreams: event by event through a StreamingDataFrame, and in batches through its BatchingSink."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from quixstreams import Application
from quixstreams.models import Topic
from quixstreams.sinks import BatchingSink, SinkBatch

from benchmarks.peers.job import BATCH, Job, Meter, Received, Task
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS


def _application(task: Task) -> Application:
    return Application(
        broker_address=task.bootstrap_servers,
        consumer_group=task.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        state_dir=task.folder,
        loglevel="ERROR",
    )


def _raw(app: Application, name: str) -> Topic:
    raw = "bytes"
    return app.topic(name, key_deserializer=raw, value_deserializer=raw, key_serializer=raw, value_serializer=raw)


def _on_delivery(error: Any, message: Any) -> None:
    """As quixstreams' own `to_topic` hears of each: `flush` alone does not tell of a message that was given up."""
    if error is not None:
        raise RuntimeError(f"{message.topic()}: {error}")


def _run(app: Application, task: Task, meter: Meter) -> None:
    """Its end is its own: the last checkpoint flushes the producer and commits."""
    app.run(count=task.events, collect=False)
    meter.finish()


def run_events(task: Task) -> None:
    app, meter, job = _application(task), Meter(task.events), Job()

    def index(value: bytes, key: bytes, timestamp: int, headers: Any) -> bytes:
        meter.saw(1)
        return job.index((Received(key, value, timestamp),))[0]

    frame = app.dataframe(_raw(app, CATALOG_PRODUCTS))
    frame.apply(index, metadata=True).to_topic(_raw(app, CATALOG_INDEXED))
    _run(app, task, meter)


def run_batches(task: Task) -> None:
    """A sink writes at each checkpoint what came since the last one."""
    app, meter, job = _application(task), Meter(task.events), Job()
    producer = app.get_producer()

    class IndexSink(BatchingSink):  # type: ignore[misc]
        def write(self, batch: SinkBatch) -> None:
            for items in batch.iter_chunks(BATCH):
                records = [Received(item.key, item.value, item.timestamp) for item in items]
                for record, outcome in zip(records, job.index(records), strict=True):
                    producer.produce(CATALOG_INDEXED, outcome, record.key, on_delivery=_on_delivery)
            producer.flush()

    def pass_on(value: bytes) -> bytes:
        meter.saw(1)
        return value

    app.dataframe(_raw(app, CATALOG_PRODUCTS)).apply(pass_on).sink(IndexSink())
    _run(app, task, meter)


def run_loop(task: Task) -> None:
    app, meter = _application(task), Meter(task.events)
    app.dataframe(_raw(app, CATALOG_PRODUCTS)).update(lambda _: meter.saw(1))
    _run(app, task, meter)


_ROLES: Mapping[str, Callable[[Task], None]] = {"events": run_events, "batches": run_batches, "loop": run_loop}

if __name__ == "__main__":
    _ROLES[sys.argv[1]](Task.from_arguments())
