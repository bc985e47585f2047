"""A worker process between a real broker and a real Milvus: killed, stopped, fed with rubbish, without its index."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.freshness import IndexingFollower
from cli.local_stack import LocalStack, embedded_settings
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from cli.wiring import index_products_lag, open_index, open_publisher
from encoders.factory import create_image_encoder, create_text_encoder
from index.base import VectorIndex
from index.embedded_milvus import EmbeddedMilvus
from tests.services.bad_input import BAD_EVENTS, ODD_PRODUCTS
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.codec import deletion_headers
from topics.embedded_broker import EmbeddedBroker
from topics.publisher import Publisher
from topics.reader import ReadRecord, TopicReader

pytestmark = pytest.mark.services

PATIENCE = 120.0
EVENTS = 2_000
PRODUCTS = 300


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def quick_settings(folder: Path) -> Settings:
    """Encoders without a model, and a group that soon notices a dead worker."""
    changes = {
        "encoders": {"text": {"model": "hash"}, "image": {"model": "hash"}},
        "worker": {"session_timeout_seconds": 6, "picture_fetchers": 2},
    }
    return changed_settings(embedded_settings(Settings(), folder), changes)


@dataclass
class Shop:
    """What a shop sends, and what must come of it."""

    settings: Settings
    publisher: Publisher
    newest: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    poison: int = 0

    def send(self, product_id: str, version: int, **fields: Any) -> None:
        """An event at `version` milliseconds."""
        event = {"id": product_id, "updated_at": version, "title": f"title {version}", **fields}
        self.send_raw(product_id, json.dumps(event).encode())
        self.newest[product_id] = event

    def remove(self, product_id: str, version: int) -> None:
        self.send_raw(product_id, None, deletion_headers(version * 1_000))
        self.newest[product_id] = None

    def send_raw(self, key: str, value: bytes | None, headers: Mapping[str, bytes] | None = None) -> None:
        self.publisher.publish(CATALOG_PRODUCTS, key.encode(), value, headers)

    def send_poison(self) -> None:
        self.send_raw(f"poison {self.poison}", b"{broken")
        self.poison += 1

    def lag(self) -> int:
        with index_products_lag(self.settings) as lag:
            return lag.events()

    def index(self) -> VectorIndex:
        encoders = self.settings.encoders
        text, image = create_text_encoder(encoders), create_image_encoder(encoders)
        return open_index(self.settings, text, image)

    def settle(self) -> None:
        """Until everything that was sent is committed."""
        assert self.publisher.flush(PATIENCE) == 0
        wait_until(lambda: self.lag() == 0)

    def assert_newest_is_searchable(self) -> None:
        index = self.index()
        try:
            documents = index.documents(list(self.newest))
            there = {id_: event for id_, event in self.newest.items() if event is not None}
            assert set(documents) == set(there)
            wrong = {id_ for id_, event in there.items() if documents[id_]["title"] != event["title"]}
            assert wrong == set()
            assert index.count() == len(there)
        finally:
            index.close()

    def read(self, topic: str) -> list[ReadRecord]:
        """All that the topic holds now."""
        records: list[ReadRecord] = []
        with TopicReader(self.settings.kafka, [topic]) as reader:
            while fresh := list(reader.read(1.0)):
                records += fresh
        return records


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    with LocalStack(tmp_path, quick_settings(tmp_path), server=False) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


@pytest.fixture
def shop(stack: LocalStack) -> Iterator[Shop]:
    with open_publisher(stack.settings, "shop") as publisher:
        yield Shop(stack.settings, publisher)


def a_day_of_changes(shop: Shop, seed: int, events: int) -> Iterator[int]:
    """Sends new versions, price changes, tombstones and 1 % poison, and gives the number of each event."""
    rng = random.Random(seed)
    for number in range(1, events + 1):
        name = f"p{rng.randrange(PRODUCTS)}"
        kind = rng.random()
        if kind < 0.01:
            shop.send_poison()
        elif kind < 0.06:
            shop.remove(name, number)
        elif kind < 0.3:
            before = shop.newest.get(name) or {"title": "first"}
            shop.send(name, number, title=before["title"], price=number, currency="EUR")
        else:
            shop.send(name, number)
        yield number


def test_a_killed_worker_loses_nothing(stack: LocalStack, shop: Shop) -> None:
    with IndexingFollower(stack.settings.kafka) as follower:
        for number in a_day_of_changes(shop, seed=1, events=EVENTS):
            if number == EVENTS // 2:
                shop.publisher.flush(PATIENCE)
                wait_until(lambda: follower.events > 0)
                os.kill(stack.worker.pid, signal.SIGKILL)  # in the middle of the stream
        shop.settle()

    assert stack.restarts == 1
    assert shop.poison > 0
    shop.assert_newest_is_searchable()
    dead = {record.key for record in shop.read(dead_letter_topic(CATALOG_PRODUCTS))}
    assert dead == {f"poison {number}".encode() for number in range(shop.poison)}


def test_an_index_that_is_killed_and_comes_back_has_missed_nothing(stack: LocalStack, shop: Shop) -> None:
    port = urlsplit(stack.settings.index.uri).port
    assert port is not None
    data = stack.config.parent / "milvus"
    with ExitStack() as closing, IndexingFollower(stack.settings.kafka) as follower:
        for number in a_day_of_changes(shop, seed=2, events=600):
            if number == 200:
                shop.publisher.flush(PATIENCE)
                wait_until(lambda: follower.events > 0)
                stack.milvus.kill()
            if number == 400:
                closing.enter_context(EmbeddedMilvus(data, port))
        shop.settle()
        shop.assert_newest_is_searchable()

    assert stack.restarts == 0  # the worker waited


def metrics_of(stack: LocalStack) -> dict[tuple[str, tuple[str, ...]], float]:
    """Value by name and sorted label values."""
    port = stack.settings.worker.metrics_port
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def send_bad_input(shop: Shop) -> None:
    for name, (event, _) in BAD_EVENTS.items():
        shop.send_raw(name, event if isinstance(event, bytes) else json.dumps({"id": name, **event}).encode())
    for name, (fields, _) in ODD_PRODUCTS.items():
        shop.send(name, 1, **fields)
    shop.send_raw('{"payload": 5}', b"{}")
    shop.send_raw("", None)
    shop.send("the last one", 1)


def test_bad_input_becomes_dead_letters_or_is_reported_and_the_stream_goes_on(stack: LocalStack, shop: Shop) -> None:
    send_bad_input(shop)
    shop.settle()

    reasons = {
        (record.key or b"").decode(): record.headers["reason"].decode()
        for record in shop.read(dead_letter_topic(CATALOG_PRODUCTS))
    }
    expected = {name: reason for name, (_, reason) in BAD_EVENTS.items()}
    assert reasons == expected | {'{"payload": 5}': "invalid_fields", "": "missing_key"}
    shop.assert_newest_is_searchable()
    told = {record.key: json.loads(record.value or b"{}")["problems"] for record in shop.read(CATALOG_INDEXED)}
    for name, (_, problem) in ODD_PRODUCTS.items():
        assert bool(told[name.encode()]) == bool(problem), name
        assert problem in "".join(told[name.encode()])

    metrics = metrics_of(stack)
    for reason, count in Counter(reasons.values()).items():
        assert metrics["millrace_dead_letters_total", (CATALOG_PRODUCTS, reason)] == count
    for problem, count in Counter(problem for _, problem in ODD_PRODUCTS.values() if problem).items():
        assert metrics["millrace_image_failures_total", (problem,)] == count
    assert metrics["millrace_events_total", (CATALOG_PRODUCTS, "rejected")] == len(reasons)
    assert metrics["millrace_events_total", ("catalog.products", "indexed")] == len(ODD_PRODUCTS) + 1
    assert stack.restarts == 0


def test_a_lone_event_is_searchable_long_before_faust_would_have_fetched_it(stack: LocalStack, shop: Shop) -> None:
    """Faust's hard-wired wait of a fetch is 1.5 s, and the embedded broker waits it out."""
    with IndexingFollower(stack.settings.kafka) as follower:
        for number in range(1, 8):
            shop.send(f"lone {number}", number)
            wait_until(lambda number=number: follower.events == number)  # type: ignore[misc]
        ages = [follower.freshness(number).p50 for number in range(7)]

    assert median(ages) < 1.0


@contextmanager
def bare_worker(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker without a supervisor, to see how it ends."""
    log = config.with_name("worker.log")
    with log.open("ab") as end:
        command = [sys.executable, "-m", "cli.main", "worker", "--config", str(config)]
        with subprocess.Popen(command, stdout=end, stderr=end) as process:
            try:
                yield process
            finally:
                process.kill()


def test_a_worker_that_is_told_to_stop_finishes_commits_and_ends_well(tmp_path: Path) -> None:
    """By SIGTERM in the middle of the stream, by SIGINT at its end; nothing is repeated in between."""
    with EmbeddedBroker(partitions=2) as broker, EmbeddedMilvus(tmp_path / "milvus") as milvus:
        addresses = {"kafka": {"bootstrap_servers": broker.bootstrap_servers}, "index": {"uri": milvus.uri}}
        settings = changed_settings(quick_settings(tmp_path), addresses)
        config = tmp_path / "millrace.toml"
        config.write_text(settings_file(settings))
        with open_publisher(settings, "shop") as publisher, IndexingFollower(settings.kafka) as follower:
            shop = Shop(settings, publisher)
            with bare_worker(config) as worker:
                for event in a_day_of_changes(shop, seed=3, events=1_000):
                    if event == 500:
                        shop.publisher.flush(PATIENCE)
                        wait_until(lambda: follower.events > 0)
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(PATIENCE) == 0
            shop.publisher.flush(PATIENCE)
            assert 0 < records_told(shop) == 1_000 - shop.lag()  # what was told is committed

            with bare_worker(config) as worker:
                shop.settle()
                worker.send_signal(signal.SIGINT)
                assert worker.wait(PATIENCE) == 0
            assert records_told(shop) == 1_000  # nothing twice
            shop.assert_newest_is_searchable()


def records_told(shop: Shop) -> int:
    """Events of which something became, good or bad."""
    return len(shop.read(CATALOG_INDEXED)) + len(shop.read(dead_letter_topic(CATALOG_PRODUCTS)))
