"""Everything at once, from a seed: `python -m tests.services.chaos --seed 1 --minutes 5`.

Two workers, Milvus and a broker are killed, stopped and frozen while two producers send changes, repeats, stale
versions, tombstones, poison and transactions that are aborted. In the end everything is up again, and what the index
holds must be the newest of all.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from confluent_kafka import KafkaException, Producer

from cli.local_stack import free_port
from cli.settings import Settings, changed_settings
from cli.supervision import Process
from cli.wiring import index_products_lag, open_publisher
from deploy.kafka.broker import LocalKafka
from index.embedded_milvus import EmbeddedMilvus
from monitoring.lag import LagUnavailable
from tests.services.shop import Shop, quick_settings, worker_config
from topics.admin import TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, topics_on_broker
from topics.clients import client_config
from topics.publisher import Publisher

WORKERS = 2
PRODUCTS = 300
_EVENTS_A_SECOND = 60
_RECOVERY_SECONDS = 180.0
_DELIVERY_SECONDS = 900.0


@dataclass
class Chaos:
    """The parts, and what may happen to them. `rng` decides everything; the clock only how much of it happens."""

    rng: random.Random
    broker: LocalKafka
    milvus: EmbeddedMilvus
    folder: Path
    settings: Settings
    workers: list[Process]
    metrics_ports: list[int]
    happened: Counter[str] = field(default_factory=Counter)

    def acts(self) -> list[Callable[[], None]]:
        return [
            self.kill_a_worker,
            self.stop_a_worker,
            self.freeze_a_worker,
            self.freeze_a_worker_past_its_session,
            self.kill_milvus,
            self.kill_the_broker,
            self.stop_the_broker,
            self.freeze_the_broker,
            self.kill_everything,
        ]

    def kill_a_worker(self) -> None:
        self._signal(self.rng.choice(self.workers), signal.SIGKILL)

    def stop_a_worker(self) -> None:
        self._signal(self.rng.choice(self.workers), signal.SIGTERM)

    def freeze_a_worker(self) -> None:
        self._freeze(self.rng.uniform(0.5, 3))

    def freeze_a_worker_past_its_session(self) -> None:
        self._freeze(self.settings.worker.session_timeout_seconds + self.rng.uniform(1, 5))

    def kill_milvus(self) -> None:
        self.milvus.kill()
        time.sleep(self.rng.uniform(0, 10))
        self.milvus = EmbeddedMilvus(self.folder / "milvus", _port(self.settings.index.uri))

    def kill_the_broker(self) -> None:
        self.broker.kill()
        time.sleep(self.rng.uniform(0, 10))
        self.broker.start()

    def stop_the_broker(self) -> None:
        self.broker.stop()
        time.sleep(self.rng.uniform(0, 10))
        self.broker.start()

    def freeze_the_broker(self) -> None:
        self.broker.pause()
        time.sleep(self.rng.uniform(0.5, 8))
        self.broker.resume()

    def kill_everything(self) -> None:
        for worker in self.workers:
            self._signal(worker, signal.SIGKILL)
        self.milvus.kill()
        self.broker.kill()
        self.broker.start()
        self.milvus = EmbeddedMilvus(self.folder / "milvus", _port(self.settings.index.uri))

    def _freeze(self, seconds: float) -> None:
        worker = self.rng.choice(self.workers)
        pid = worker.pid
        self._signal(worker, signal.SIGSTOP)
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _signal(self, worker: Process, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it is just being restarted
            os.kill(worker.pid, number)


class Traffic:
    """What the shop sends, from a thread of its own, through two producers that know nothing of each other."""

    def __init__(self, shop: Shop, other: Publisher, rng: random.Random) -> None:
        self._shop = shop
        self._publishers = [shop.publisher, other]
        self._rng = rng
        self._version = 0
        self._older: dict[str, dict[str, Any]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self.aborted = 0

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._rng.expovariate(_EVENTS_A_SECOND)):
            self.send_one()

    def send_one(self) -> None:
        self._version += 1
        self._shop.publisher = self._rng.choice(self._publishers)
        name = f"p{self._rng.randrange(PRODUCTS)}"
        newest = self._shop.newest.get(name)
        kind = self._rng.random()
        if kind < 0.01:
            self._shop.send_poison()
        elif kind < 0.06:
            self._shop.remove(name, self._version)
        elif kind < 0.12 and name in self._older:  # stale, often behind a tombstone
            self._shop.send_raw(name, json.dumps(self._older[name]).encode())
        elif kind < 0.18 and newest is not None:  # the same once more
            self._shop.send_raw(name, json.dumps(newest).encode())
        elif kind < 0.4 and newest is not None:
            self._older[name] = newest
            self._shop.send(name, self._version, title=newest["title"], price=self._version, currency="EUR")
        else:
            if newest is not None:
                self._older[name] = newest
            self._shop.send(name, self._version)


def run(seed: int, seconds: float, folder: Path, say: Callable[[str], None]) -> None:
    """Raises AssertionError where anything is lost, stale, twice in the dead letters for no reason, or stuck."""
    with _everything(seed, folder) as (chaos, shop, other):
        with Traffic(shop, other, random.Random(seed + 1)) as traffic:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                time.sleep(chaos.rng.uniform(0.5, 4))
                act = chaos.rng.choice(chaos.acts())
                chaos.happened[act.__name__] += 1
                say(f"{ends - time.monotonic():5.0f} s left: {act.__name__.replace('_', ' ')}")
                act()
                if chaos.rng.random() < 0.3:
                    traffic.aborted += abort_a_transaction(chaos.settings, name=f"p{chaos.rng.randrange(PRODUCTS)}")
        say("everything may recover now")
        recovered = recover(shop, other, chaos)
        for number in range(20):  # whoever is left must still be at work
            shop.send(f"after the chaos {number}", 1)
        recover(shop, other, chaos)
        judge(shop, chaos)
        say(
            f"seed {seed}: {shop.sent} events, {len(shop.newest)} products, {shop.poison} poison, {traffic.aborted} "
            f"transactions aborted, {sum(worker.restarts for worker in chaos.workers)} restarts of workers, "
            f"recovered in {recovered:.1f} s: nothing lost, nothing stale. {dict(chaos.happened)}"
        )


def abort_a_transaction(settings: Settings, name: str) -> int:
    """A newer version that never was. Gives 1 where it was really begun and aborted, 0 where the broker was away."""
    producer = Producer({**client_config(settings.kafka), "transactional.id": "chaos", "transaction.timeout.ms": 5_000})
    event = {"id": name, "updated_at": 10**9, "title": "aborted, must never be seen"}
    try:
        producer.init_transactions(5)
        producer.begin_transaction()
        producer.produce(settings.kafka.on_broker(CATALOG_PRODUCTS), json.dumps(event), name)
        producer.flush(5)
        producer.abort_transaction(5)
    except KafkaException:
        return 0
    return 1


def recover(shop: Shop, other: Publisher, chaos: Chaos) -> float:
    """Seconds until every record is committed."""
    began = time.monotonic()
    assert shop.publisher.flush(_RECOVERY_SECONDS) + other.flush(_RECOVERY_SECONDS) == 0, "the broker takes nothing"
    with index_products_lag(shop.settings) as lag:
        while True:
            try:
                if lag.caught_up():
                    return time.monotonic() - began
            except LagUnavailable:
                pass
            logs = [str(worker.log) for worker in chaos.workers]
            assert time.monotonic() - began < _RECOVERY_SECONDS, f"stuck: {lag.read()}, see {logs}"
            time.sleep(0.1)


def judge(shop: Shop, chaos: Chaos) -> None:
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()
    assert sum(map(_partitions, chaos.metrics_ports)) == chaos.settings.kafka.partitions, "a worker is a zombie"


@contextmanager
def _everything(seed: int, folder: Path) -> Iterator[tuple[Chaos, Shop, Publisher]]:
    with ExitStack() as exits:
        broker = exits.enter_context(LocalKafka(folder / "kafka"))
        milvus = EmbeddedMilvus(folder / "milvus")
        settings = changed_settings(quick_settings(folder), {"index": {"uri": milvus.uri}})
        settings = settings.model_copy(update={"kafka": broker.settings()})
        TopicAdmin(settings.kafka).apply(topics_on_broker(settings.kafka))
        workers, ports = zip(*(_worker(folder, settings, number) for number in range(WORKERS)), strict=True)
        chaos = Chaos(random.Random(seed), broker, milvus, folder, settings, list(workers), list(ports))
        exits.callback(lambda: chaos.milvus.stop())
        for worker in workers:
            exits.callback(worker.wait_until_stopped)
            exits.callback(worker.ask_to_stop)
        publishers = [
            exits.enter_context(open_publisher(settings, f"shop-{number}", _DELIVERY_SECONDS)) for number in range(2)
        ]
        yield chaos, Shop(settings, publishers[0]), publishers[1]


def _worker(folder: Path, settings: Settings, number: int) -> tuple[Process, int]:
    home = folder / f"worker-{number}"
    port = free_port()
    config = worker_config(home, settings, instance_id=f"chaos-{number}", metrics_port=port)
    return Process("worker", config, home / "worker.log"), port


def _partitions(metrics_port: int) -> int:
    text = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=30).text
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("millrace_partitions_ass"))


def _port(uri: str) -> int:
    port = urlsplit(uri).port
    assert port is not None
    return port


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.services.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--folder", type=Path, help="where data and logs stay for a look afterwards; default: nowhere")
    chosen = parser.parse_args()

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    with ExitStack() as exits:
        folder = chosen.folder or Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="millrace-chaos-")))
        run(chosen.seed, chosen.minutes * 60, folder, say)


if __name__ == "__main__":
    main()
