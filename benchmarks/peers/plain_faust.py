"""Faust as its own documentation would have it: event by event."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import faust

from benchmarks.peers.job import Job, Meter, Received, Task
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS

_RAW = {"key_type": bytes, "key_serializer": "raw", "value_type": bytes, "value_serializer": "raw"}


def _app(task: Task) -> faust.App:
    return faust.App(
        task.group,
        broker=f"kafka://{task.bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        datadir=task.folder,
    )


def run_job(task: Task) -> None:
    app, meter, job = _app(task), Meter(task.events), Job()
    outcomes = app.topic(CATALOG_INDEXED, **_RAW)

    async def index_products(stream: Any) -> None:
        async for event in stream.events():
            meter.saw(1)
            record = Received(event.key, event.value, int(event.message.timestamp * 1000))
            sent = await outcomes.send(key=record.key, value=job.index((record,))[0])
            if meter.seen == task.events:
                await sent
                meter.finish()

    app.agent(app.topic(CATALOG_PRODUCTS, **_RAW), name="index-products")(index_products)
    work(app)


def run_loop(task: Task) -> None:
    app, meter = _app(task), Meter(task.events)

    async def loop(stream: Any) -> None:
        async for _ in stream:
            meter.saw(1)
            if meter.seen == task.events:
                meter.finish()

    app.agent(app.topic(CATALOG_PRODUCTS, **_RAW), name="loop")(loop)
    work(app)


def work(app: faust.App) -> None:
    faust.Worker(app, quiet=True, loglevel="ERROR", override_logging=False).execute_from_commandline()


_ROLES: Mapping[str, Callable[[Task], None]] = {"job": run_job, "loop": run_loop}

if __name__ == "__main__":
    _ROLES[sys.argv[1]](Task.from_arguments())
