"""CPU of the whole indexing agent per event, beside other stream frameworks that do the same job.

All read the same topic of one real Kafka broker in the same run, with an encoder and an index that do nothing, one
process each, in turns. Each decodes, asks the index for states, encodes, makes document and keywords, writes to the
index, publishes to catalog.indexed with its own producer, and commits (or snapshots) as it does. The loops do none of
this: what is left is the framework.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle, islice
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, TopicPartition

from benchmarks.indexing_throughput import icecat_products
from benchmarks.peers.job import Task
from benchmarks.recording import record
from cli.local_stack import make_room
from deploy.kafka.broker import LocalKafka
from topics.admin import TopicAdmin
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, topics_on_broker
from topics.clients import client_config
from topics.codec import encode_product
from topics.publisher import Publisher, PublisherOverloaded
from topics.settings import KafkaSettings

EVENTS = 100_000
REPEATS = 3
LIMIT = "the agent at most as dear as quixstreams (goal: as the cheapest peer), all doing the same job"
_WORK = Path(".bench/streaming-cost")
_ENVIRONMENT = Path(".bench/streaming-cost-peers")
_REQUIREMENTS = Path(__file__).parent / "peers" / "requirements.txt"
_SIZES = range(404, 605)  # bytes of the real products that are sent


@dataclass(frozen=True, slots=True)
class Role:
    """One process: a module of `benchmarks.peers` and what it is to run; fewer events where they cost more."""

    module: str
    role: str
    events: int = EVENTS
    has_own_environment: bool = True
    publishes: bool = True


ROLES: Mapping[str, Role] = {
    "millrace": Role("millrace_agent", "job", has_own_environment=False),
    "quixstreams": Role("with_quixstreams", "events", EVENTS // 4),
    "quixstreams_batches": Role("with_quixstreams", "batches"),
    "bytewax": Role("with_bytewax", "job"),
    "pathway": Role("with_pathway", "job"),
    "plain_faust": Role("plain_faust", "job", EVENTS // 10, has_own_environment=False),
    "millrace_loop": Role("millrace_agent", "loop", has_own_environment=False, publishes=False),
    "quixstreams_loop": Role("with_quixstreams", "loop", publishes=False),
    "bytewax_loop": Role("with_bytewax", "loop", publishes=False),
    "pathway_loop": Role("with_pathway", "loop", publishes=False),
    "plain_faust_loop": Role("plain_faust", "loop", EVENTS // 4, has_own_environment=False, publishes=False),
}


def run() -> None:
    make_room(_WORK)
    python = _peers_python()
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in ROLES}
    with LocalKafka(_WORK / "kafka") as broker:
        kafka = broker.settings()
        TopicAdmin(kafka).apply(topics_on_broker(kafka))
        event_bytes = _fill(kafka)
        for repeat in range(REPEATS):
            for name, role in ROLES.items():
                measured[name].append(_measure(role, f"{name}-{repeat}", kafka, python))
    record("streaming_cost", LIMIT, _result(measured, event_bytes))


def _result(measured: Mapping[str, Sequence[Mapping[str, float]]], event_bytes: float) -> dict[str, object]:
    medians = {name: _medians(of_role) for name, of_role in measured.items()}
    cost = {name: median["cpu_us_per_event"] for name, median in medians.items()}
    peers = {name: cost[name] for name in ("quixstreams", "quixstreams_batches", "bytewax", "pathway")}
    quixstreams = min(peers["quixstreams"], peers["quixstreams_batches"])
    return {
        "events": {name: role.events for name, role in ROLES.items()},
        "event_bytes": event_bytes,
        "ratio_to_quixstreams": round(cost["millrace"] / quixstreams, 2),
        "ratio_to_the_cheapest_peer": round(cost["millrace"] / min(peers.values()), 2),
        "times_cheaper_than_plain_faust": round(cost["plain_faust"] / cost["millrace"], 1),
        "cpu_us_per_event": {
            name: [round(one["cpu_us_per_event"], 1) for one in all_] for name, all_ in measured.items()
        },
        "medians": medians,
    }


def _peers_python() -> Path:
    """The interpreter of the environment that the peers run in; the first call makes it: some minutes, 1.5 GB."""
    python = _ENVIRONMENT / "bin" / "python"
    installed = _ENVIRONMENT / "requirements.txt"
    if not installed.exists() or installed.read_text() != _REQUIREMENTS.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_ENVIRONMENT)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", str(_REQUIREMENTS)], check=True)
        installed.write_text(_REQUIREMENTS.read_text())
    return python


def _fill(kafka: KafkaSettings) -> float:
    """Products under ids of their own, so that none is a repeat. Returns their mean size in bytes."""
    total = 0
    publisher = Publisher(kafka, "benchmark-fill", delivery_timeout_seconds=120)
    for id_, value in islice(_events(), EVENTS):
        total += len(value)
        while True:
            try:
                publisher.publish(CATALOG_PRODUCTS, id_, value)
                break
            except PublisherOverloaded:
                publisher.flush(1)
    abandoned = publisher.close(120)
    if abandoned or _messages(kafka, CATALOG_PRODUCTS) != EVENTS:
        raise RuntimeError(f"the broker has {_messages(kafka, CATALOG_PRODUCTS)} events of {EVENTS}")
    return round(total / EVENTS)


def _events() -> Iterator[tuple[bytes, bytes]]:
    """Real product events of about the same size, again and again."""
    bodies = []
    for product in icecat_products(4_000):
        value = encode_product(product.model_copy(update={"id": ""}))
        if len(value) in _SIZES:
            bodies.append(value.removeprefix(b'{"id":""'))
    for number, body in zip(count(), cycle(bodies), strict=False):
        id_ = b"p%06d" % number
        yield id_, b'{"id":"%s"%s' % (id_, body)


def _measure(role: Role, group: str, kafka: KafkaSettings, python: Path) -> dict[str, float]:
    """Run one process. Raises RuntimeError where it did not publish what became of each event."""
    folder = _WORK / group
    folder.mkdir()
    before = _messages(kafka, CATALOG_INDEXED)
    task = Task(kafka.bootstrap_servers, group, role.events, str(folder.resolve()))
    interpreter = str(python) if role.has_own_environment else sys.executable
    command = [interpreter, "-m", f"benchmarks.peers.{role.module}", role.role, json.dumps(asdict(task))]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{group}: {done.stderr[-2000:]}")
    published = _messages(kafka, CATALOG_INDEXED) - before
    if published < role.events * role.publishes:
        raise RuntimeError(f"{group} published {published} outcomes for {role.events} events")
    measured: dict[str, float] = json.loads(done.stdout[done.stdout.rindex("{") :])
    sys.stderr.write(f"{group}: {measured} ({time.monotonic() - started:.0f} s)\n")
    return measured


def _messages(kafka: KafkaSettings, topic: str) -> int:
    consumer = Consumer({**client_config(kafka), "group.id": "benchmark-count"})
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, number)) for number in range(kafka.partitions)]
    consumer.close()
    return sum(high for _, high in ends)


def _medians(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(float(np.median([one[name] for one in measured])), 2) for name in measured[0]}
