"""CPU of the join per event, beside plain Faust with a table that does the same job in the same run.

Both read the same topics of one real Kafka broker, one process each, in turns: they decode and validate, fold the
list's state by the same rules, keep it (Millrace in SQLite, for all processes; Faust in memory and in its changelog),
and publish each list as it then stands. Millrace's agent also recognizes bots, looks at who was erased, counts repeats
and waits for the broker; plain Faust is spared that.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, TopicPartition

from benchmarks.clicks.shop import records_of, seen_lists
from benchmarks.peers.job import Task
from benchmarks.recording import record
from cli.local_stack import make_room
from deploy.kafka.broker import LocalKafka
from topics.admin import TopicAdmin
from topics.catalogue import FEEDBACK_EXAMPLES, topics_on_broker
from topics.clients import client_config
from topics.publisher import Publisher, PublisherOverloaded
from topics.settings import KafkaSettings

LISTS = 20_000
REPEATS = 3
LIMIT = "the join at least 5 times cheaper than plain Faust with a table doing the same job in the same run"
_WORK = Path(".bench/join-cost")
_SEED = 3
_EVENTS: Mapping[str, int] = {"millrace_join": 50_000, "plain_faust_join": 8_000}  # fewer where they cost more


def run() -> None:
    make_room(_WORK)
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in _EVENTS}
    with LocalKafka(_WORK / "kafka") as broker:
        kafka = broker.settings()
        TopicAdmin(kafka).apply(topics_on_broker(kafka))
        events, event_bytes = _fill(kafka)
        for repeat in range(REPEATS):
            for name in _EVENTS:
                measured[name].append(_measure(name, f"{name}-{repeat}", kafka))
    record("join_cost", LIMIT, {"lists": LISTS, "events_sent": events, **_result(measured, event_bytes)})


def _result(measured: Mapping[str, Sequence[Mapping[str, float]]], event_bytes: float) -> dict[str, object]:
    cost = {name: _median(all_, "cpu_us_per_event") for name, all_ in measured.items()}
    return {
        "events": _EVENTS,
        "event_bytes": event_bytes,
        "times_cheaper_than_plain_faust": round(cost["plain_faust_join"] / cost["millrace_join"], 1),
        "cpu_us_per_event": {
            name: [round(one["cpu_us_per_event"], 1) for one in all_] for name, all_ in measured.items()
        },
        "medians": {
            name: {figure: _median(all_, figure) for figure in ("cpu_us_per_event", "events_per_second")}
            for name, all_ in measured.items()
        },
    }


def _fill(kafka: KafkaSettings) -> tuple[int, float]:
    """Lists in the order in which they were shown, each before its actions. Returns the records and their mean size."""
    publisher = Publisher(kafka, "benchmark-fill", delivery_timeout_seconds=120)
    count = total = 0
    for seen in sorted(seen_lists(LISTS, _SEED), key=lambda seen: seen.at):
        for sent in records_of(seen):
            count, total = count + 1, total + len(sent.value)
            while True:
                try:
                    publisher.publish(sent.topic, sent.key, sent.value)
                    break
                except PublisherOverloaded:
                    publisher.flush(1)
    if publisher.close(120):
        raise RuntimeError("the broker did not take all events")
    return count, round(total / count)


def _measure(module: str, group: str, kafka: KafkaSettings) -> dict[str, float]:
    """Run one process. Raises RuntimeError where it did not tell of the lists."""
    folder = _WORK / group
    folder.mkdir()
    before = _messages(kafka)
    task = Task(kafka.bootstrap_servers, group, _EVENTS[module], str(folder.resolve()))
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", json.dumps(asdict(task))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{group}: {done.stderr[-2000:]}")
    if _messages(kafka) == before:
        raise RuntimeError(f"{group} published nothing")
    measured: dict[str, float] = json.loads(done.stdout[done.stdout.rindex("{") :])
    sys.stderr.write(f"{group}: {measured}\n")
    return measured


def _messages(kafka: KafkaSettings) -> int:
    consumer = Consumer({**client_config(kafka), "group.id": "benchmark-count"})
    places = [TopicPartition(FEEDBACK_EXAMPLES, number) for number in range(kafka.partitions)]
    ends = [consumer.get_watermark_offsets(place) for place in places]
    consumer.close()
    return sum(high for _, high in ends)


def _median(measured: Sequence[Mapping[str, float]], figure: str) -> float:
    return round(float(np.median([one[figure] for one in measured])), 2)
