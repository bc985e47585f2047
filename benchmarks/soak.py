"""A million product events through a real Kafka: memory, threads and file handles of each process, and nothing lost.

`python -m benchmarks.soak 50000` is a shorter run of the same that writes no result.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.recording import record
from cli.local_settings import embedded_settings
from cli.local_stack import LocalStack, make_room
from cli.settings import Settings, changed_settings, load_settings
from cli.wiring import index_products_lag, open_parts, open_publisher
from deploy.kafka.broker import LocalKafka
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import deletion_headers
from topics.publisher import Publisher, PublisherOverloaded

EVENTS = 1_000_000
PRODUCTS = 2_000
LIMIT = "0 lost; after the first quarter, memory of worker and server grows by at most 5 %, threads and files by none"
_WORK = Path(".bench/soak")
_PROCESSES = ("worker", "server", "milvus_lite", "broker")
_SAMPLE_SECONDS = 10.0
_SEARCHES_A_SECOND = 1.0  # each takes milvus-lite longer than a hundred changes
_BACKLOG = 50_000  # so that the shop sends as long as the worker works
_WARM = 0.25
_POINTS = 50
_MIB = 2**20


@dataclass
class Shop:
    """Sends changes and remembers what the index must hold in the end. The number of an event is its version in ms."""

    publisher: Publisher
    newest: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    sent: int = 0

    def send_one(self, rng: random.Random) -> None:
        number = self.sent + 1
        name = f"product {rng.randrange(PRODUCTS)}"
        before = self.newest.get(name)
        kind = rng.random()
        if kind < 0.03:
            self._publish(name, None, deletion_headers(number * 1000))
            self.newest[name] = None
        else:
            title = before["title"] if before is not None and kind < 0.7 else f"{name} in its version {number}"
            event = {"id": name, "updated_at": number, "title": title, "price": number % 1000, "currency": "EUR"}
            self._publish(name, json.dumps(event).encode(), None)
            self.newest[name] = event
        self.sent = number

    def _publish(self, name: str, value: bytes | None, headers: Mapping[str, bytes] | None) -> None:
        while True:
            try:
                self.publisher.publish(CATALOG_PRODUCTS, name.encode(), value, headers)
                return
            except PublisherOverloaded:
                self.publisher.flush(1.0)


def run(events: int = EVENTS) -> None:
    make_room(_WORK)
    settings = embedded_settings(load_settings(), _WORK)
    settings = changed_settings(
        settings, {"encoders": {"text": {"model": "hash", "batch_size": 512}, "image": {"model": "hash"}}}
    )
    with ExitStack() as exits:
        broker = exits.enter_context(LocalKafka(_WORK / "kafka"))
        stack = exits.enter_context(LocalStack(_WORK, settings, kafka=broker.settings()))
        stack.wait_until_ready(180)
        shop = Shop(exits.enter_context(open_publisher(stack.settings, "soak")))
        pids = (stack.worker.pid, stack.server.pid, stack.milvus.pid, broker.pid)
        processes = dict(zip(_PROCESSES, map(psutil.Process, pids), strict=True))
        samples = list(_soak(shop, events, stack, processes))
        result = _judge(samples, shop, stack)
    if events == EVENTS:
        record("soak", LIMIT, result)
    else:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")


def _soak(
    shop: Shop, events: int, stack: LocalStack, processes: Mapping[str, psutil.Process]
) -> Iterator[dict[str, float]]:
    """A sample every few seconds until all events are committed. Raises what ended the sending or the searches."""
    ended, searched = threading.Event(), Counter[str]()
    began = time.monotonic()
    with index_products_lag(stack.settings) as lag, ThreadPoolExecutor(2) as pool:
        sending = pool.submit(_send, shop, events, stack.settings, ended)
        searching = pool.submit(_search, stack.url, searched, ended)
        try:
            while True:
                if searching.done() or sending.done():
                    (searching if searching.done() else sending).result()
                done = max(0, shop.sent - lag.events())
                sample = {"seconds": time.monotonic() - began, "events": float(done)}
                yield sample | {"searches": float(searched["answered"])} | _use(processes)
                sys.stderr.write(f"\r{done:,} of {events:,} events in {sample['seconds']:.0f} s ")
                if done == events:
                    return
                ended.wait(_SAMPLE_SECONDS)
        finally:
            ended.set()


def _use(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    use: dict[str, float] = {}
    for name, process in processes.items():
        cpu = process.cpu_times()
        use[f"{name}_rss_mib"] = process.memory_info().rss / _MIB
        use[f"{name}_threads"] = process.num_threads()
        use[f"{name}_files"] = process.num_fds()
        use[f"{name}_cpu_seconds"] = cpu.user + cpu.system
    return use


def _search(url: str, searched: Counter[str], ended: threading.Event) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        while not ended.wait(1 / _SEARCHES_A_SECOND):
            query = f"product {searched['answered'] % PRODUCTS}"
            client.get("/v1/search", params={"q": query}).raise_for_status()
            searched["answered"] += 1


def _send(shop: Shop, events: int, settings: Settings, ended: threading.Event) -> None:
    rng = random.Random(1)
    with index_products_lag(settings) as lag:
        while shop.sent < events and not ended.is_set():
            for _ in range(min(5_000, events - shop.sent)):
                shop.send_one(rng)
            shop.publisher.flush(60)
            while shop.sent < events and lag.events() > _BACKLOG and not ended.wait(0.5):
                pass


def _judge(samples: Sequence[Mapping[str, float]], shop: Shop, stack: LocalStack) -> dict[str, Any]:
    events = shop.sent
    warm = [sample for sample in samples if sample["events"] >= _WARM * events]
    at = np.array([sample["events"] for sample in warm])
    result: dict[str, Any] = {
        "events": events,
        "products": len(shop.newest),
        "lost": events - _told(stack),
        "wrong_products": _wrong_products(shop, stack.settings),
        "restarts": stack.restarts,
        "searches": round(samples[-1]["searches"]),
        "events_per_second": round(events / samples[-1]["seconds"]),
        "events_per_second_over_time": _rates(samples),
    }
    for name in _PROCESSES:
        memory = np.array([sample[f"{name}_rss_mib"] for sample in warm])
        slope, start = np.polyfit(at, memory, 1)
        result[name] = {
            "rss_mib_per_100_000_events": round(float(slope) * 100_000, 3),
            "growth_after_warm_up": round(float(slope * (events - at[0]) / (start + slope * at[0])), 4),
            "threads": [warm[0][f"{name}_threads"], warm[-1][f"{name}_threads"]],
            "files": [warm[0][f"{name}_files"], warm[-1][f"{name}_files"]],
            "cpu_seconds": round(samples[-1][f"{name}_cpu_seconds"] - samples[0][f"{name}_cpu_seconds"]),
        }
    step = max(1, len(samples) // _POINTS)
    result["samples"] = [{name: round(value, 1) for name, value in sample.items()} for sample in samples[::step]]
    return result


def _told(stack: LocalStack) -> int:
    """Events of which the worker says what became of them; a restart would count some twice, and is reported."""
    text = httpx.get(f"http://127.0.0.1:{stack.settings.worker.metrics_port}/metrics", timeout=30).text
    families = text_string_to_metric_families(text)
    samples = [sample for family in families for sample in family.samples]
    return round(sum(sample.value for sample in samples if sample.name == "millrace_events_total"))


def _wrong_products(shop: Shop, settings: Settings) -> int:
    """Products whose newest event is not what the index holds."""
    names = list(shop.newest)
    wrong = 0
    with open_parts(settings) as parts, closing(parts.index):
        for start in range(0, len(names), 500):
            chunk = names[start : start + 500]
            held = parts.index.documents(chunk)
            for name in chunk:
                wanted, document = shop.newest[name], held.get(name)
                if wanted is None or document is None:
                    wrong += wanted is not None or document is not None
                else:
                    wrong += (document["title"], float(document["price"])) != (wanted["title"], wanted["price"])
    return wrong


def _rates(samples: Sequence[Mapping[str, float]], parts: int = 10) -> list[int]:
    """Events a second in each tenth of the run."""
    at = np.array([sample["events"] for sample in samples])
    seconds = np.array([sample["seconds"] for sample in samples])
    edges = np.linspace(0, seconds[-1], parts + 1)
    return [round(float(rate)) for rate in np.diff(np.interp(edges, seconds, at)) / np.diff(edges)]


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
