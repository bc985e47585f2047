"""Millrace's own agent `join-clicks`, whole, with its states in SQLite."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.job import Meter, Task
from benchmarks.peers.plain_faust import work
from feedback.joining import ClickJoin
from feedback.sqlite_store import SqliteStore
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from streams.batch_agent import BatchAgent, Heartbeat
from streams.click_loop import create_click_loop_app
from streams.ending import end_process, spare_the_collector
from streams.join_clicks import JoinClicks
from streams.outbox import Outbox
from streams.records import Record
from streams.settings import ClickLoopSettings
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES, JOIN_CLICKS_AGENT
from topics.publisher import Publisher
from topics.settings import KafkaSettings


def run_join(task: Task) -> None:
    kafka, settings = KafkaSettings(bootstrap_servers=task.bootstrap_servers), ClickLoopSettings()
    metrics, heartbeat, meter = create_metrics(create_registry()), Heartbeat(), Meter(task.events)
    store = SqliteStore(Path(task.folder) / "states.sqlite", 5)
    outbox = Outbox(Publisher(kafka, "benchmark"), metrics, heartbeat.touch)
    clicks = ClickJoin(store, settings.join, settings.traffic)
    join = JoinClicks(clicks, outbox, metrics, heartbeat.touch, BEHAVIOR_QUERIES, kafka.max_event_bytes)

    def metered(records: Sequence[Record]) -> None:
        meter.saw(len(records))
        join(records)

    agent = BatchAgent(JOIN_CLICKS_AGENT, (BEHAVIOR_QUERIES, BEHAVIOR_EVENTS), metered, heartbeat, end_process)
    _finish_after(task, meter, agent)
    spare_the_collector()
    agent.start()
    work(create_click_loop_app(settings, kafka, [agent], end_process, group=task.group))


def _finish_after(task: Task, meter: Meter, agent: BatchAgent) -> None:
    def watch() -> None:
        while meter.seen < task.events or agent.in_flight:
            time.sleep(0.05)
        meter.finish()

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    run_join(Task.from_arguments())
