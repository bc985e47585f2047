"""bytewax: batches as they come from its Kafka source, with recovery, to its Kafka sink."""

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main

from benchmarks.peers.job import BATCH, Job, Meter, Received, Task
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS

_SNAPSHOTS = timedelta(seconds=1)


def _flow(task: Task) -> tuple[Dataflow, Any]:
    flow = Dataflow("index_products")
    source = KafkaSource([task.bootstrap_servers], [CATALOG_PRODUCTS], tail=False, batch_size=BATCH)
    return flow, op.input("products", flow, source)


def _run(flow: Dataflow, task: Task, meter: Meter) -> None:
    """It reads to the end of the topic and ends by itself, its producer flushed and its last snapshot written."""
    folder = Path(task.folder)
    init_db_dir(folder, 1)
    run_main(flow, epoch_interval=_SNAPSHOTS, recovery_config=RecoveryConfig(str(folder)))
    meter.finish()


def run_job(task: Task) -> None:
    (flow, products), meter, job = _flow(task), Meter(task.events), Job()

    def index(messages: list[KafkaSourceMessage[bytes, bytes]]) -> Iterable[KafkaSinkMessage[bytes, bytes]]:
        meter.saw(len(messages))
        records = [Received(message.key, message.value, message.timestamp[1]) for message in messages]
        return [
            KafkaSinkMessage(record.key, outcome) for record, outcome in zip(records, job.index(records), strict=True)
        ]

    outcomes = op.flat_map_batch("index", products, index)
    op.output("outcomes", outcomes, KafkaSink([task.bootstrap_servers], CATALOG_INDEXED))
    _run(flow, task, meter)


def run_loop(task: Task) -> None:
    (flow, products), meter = _flow(task), Meter(task.events)

    def count(messages: list[Any]) -> Iterable[Any]:
        meter.saw(len(messages))
        return ()

    nothing = op.flat_map_batch("count", products, count)
    op.output("nowhere", nothing, KafkaSink([task.bootstrap_servers], CATALOG_INDEXED))
    _run(flow, task, meter)


_ROLES: Mapping[str, Callable[[Task], None]] = {"job": run_job, "loop": run_loop}

if __name__ == "__main__":
    _ROLES[sys.argv[1]](Task.from_arguments())
