"""A shop that sends product events, remembers what must come of them, and checks that it did."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.local_stack import embedded_settings
from cli.settings import Settings, changed_settings
from cli.wiring import index_products_lag, open_index
from encoders.factory import create_image_encoder, create_text_encoder
from index.base import VectorIndex
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.codec import deletion_headers
from topics.publisher import Publisher
from topics.reader import ReadRecord, TopicReader

PATIENCE = 120.0
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

    def records_told(self) -> int:
        """Events of which something became, good or bad."""
        return len(self.read(CATALOG_INDEXED)) + len(self.read(dead_letter_topic(CATALOG_PRODUCTS)))


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
