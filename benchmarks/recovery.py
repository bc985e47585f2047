"""How soon nothing waits any more after a worker's SIGKILL at half load, on a real Kafka, with `worker --restart`.

Full load is what the same worker takes from a backlog just before. Events keep coming while the worker is away, so at
half load it needs as long as it was away to catch up: `worker_back_seconds` is the first part of `seconds`.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.recording import record
from cli.local_settings import embedded_settings
from cli.local_stack import LocalStack, make_room
from cli.settings import changed_settings, load_settings
from cli.wiring import index_products_lag, open_publisher
from deploy.kafka.broker import LocalKafka
from monitoring.lag import GroupLag
from topics.catalogue import CATALOG_PRODUCTS
from topics.publisher import Publisher
from topics.settings import KafkaSettings

KILLS = 5
PRODUCTS = 2_000
BACKLOG = 20_000
SHARE_OF_FULL_LOAD = 0.5
LIMIT = "lag back to 0 within 5 s with static membership, within the session timeout (10 s) without"
_WORK = Path(".bench/recovery")
_MEMBERSHIPS: Mapping[str, Mapping[str, Any]] = {"static": {"instance_id": "worker-1"}, "dynamic": {}}
_LOOK_SECONDS = 0.05
_STEADY_SECONDS = 6.0  # long enough that the next kill is no sign of a worker that ends again and again
_PATIENCE = 300.0


@dataclass
class Load:
    """New versions of the products, one after the other."""

    publisher: Publisher
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def send(self) -> None:
        number = next(self.numbers)
        name = f"product {number % PRODUCTS}"
        event = {"id": name, "updated_at": number, "title": f"{name} in its version {number}"}
        self.publisher.publish(CATALOG_PRODUCTS, name.encode(), json.dumps(event).encode())

    @contextmanager
    def steady(self, events_a_second: float) -> Iterator[None]:
        """From a thread of its own, until the block ends."""
        ended = threading.Event()

        def go() -> None:
            started, sent = time.monotonic(), 0
            while not ended.wait(0.02):
                due = int((time.monotonic() - started) * events_a_second)
                for _ in range(due - sent):
                    self.send()
                sent = due

        thread = threading.Thread(target=go, name="load")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def run() -> None:
    make_room(_WORK)
    with LocalKafka(_WORK / "kafka") as broker:
        results = {
            name: _measure(broker.settings().model_copy(update={"namespace": f"{name}."}), name, worker)
            for name, worker in _MEMBERSHIPS.items()
        }
    record("recovery", LIMIT, results)


def _measure(kafka: KafkaSettings, name: str, worker: Mapping[str, Any]) -> dict[str, Any]:
    folder = _WORK / name
    hashing = {"text": {"model": "hash"}, "image": {"model": "hash"}}
    settings = embedded_settings(load_settings(), folder)
    settings = changed_settings(settings, {"encoders": hashing, "worker": worker})
    with (
        LocalStack(folder, settings, server=False, kafka=kafka, worker_options=["--restart"]) as stack,
        open_publisher(stack.settings, "benchmark") as publisher,
        index_products_lag(stack.settings) as lag,
    ):
        stack.wait_until_ready(_PATIENCE)
        load = Load(publisher)
        full_load = _full_load(load, lag)
        recoveries = []
        with load.steady(full_load * SHARE_OF_FULL_LOAD):
            for _ in range(KILLS):
                recoveries.append(_kill(stack, lag))
    seconds = [one["seconds"] for one in recoveries]
    return {
        "median_seconds": median(seconds),
        "seconds": seconds,
        "worker_back_seconds": [one["worker_back_seconds"] for one in recoveries],
        "full_load_events_per_second": round(full_load),
        "session_timeout_seconds": stack.settings.worker.session_timeout_seconds,
    }


def _full_load(load: Load, lag: GroupLag) -> float:
    """Events a second from a backlog; a first one warms everything up."""
    for _ in range(2):
        for _ in range(BACKLOG):
            load.send()
        load.publisher.flush(_PATIENCE)
        _wait(lambda: 0 < lag.events() < BACKLOG)
        began, waiting = time.monotonic(), lag.events()
        _wait(lambda: lag.events() == 0)
    return waiting / (time.monotonic() - began)


def _kill(stack: LocalStack, lag: GroupLag) -> dict[str, float]:
    """Recovered: no more waits than at any moment of the steady state before the kill."""
    steady = _most_waiting(lag)
    committed = sum(lag.committed().values())
    [worker] = psutil.Process(stack.worker.pid).children()
    worker.kill()
    killed = time.monotonic()
    _wait(lambda: lag.events() > steady)
    _wait(lambda: sum(lag.committed().values()) > committed + steady)
    back = time.monotonic() - killed
    _wait(lambda: lag.events() <= steady)
    return {"seconds": round(time.monotonic() - killed, 2), "worker_back_seconds": round(back, 2)}


def _most_waiting(lag: GroupLag) -> int:
    most, until = 0, time.monotonic() + _STEADY_SECONDS
    while time.monotonic() < until:
        most = max(most, lag.events())
        time.sleep(_LOOK_SECONDS)
    return most


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not recovered within {_PATIENCE:.0f} s")
        time.sleep(_LOOK_SECONDS)
