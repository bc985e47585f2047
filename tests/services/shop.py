"""A shop that sends product events, remembers what must come of them, and checks that it did."""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from cli.local_settings import embedded_settings
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from cli.wiring import index_products_lag, open_index, open_publisher
from encoders.factory import create_image_encoder, create_text_encoder
from index.base import VectorIndex
from index.embedded_milvus import EmbeddedMilvus
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.clients import client_config
from topics.codec import deletion_headers
from topics.dead_letters import DeadLetter, parse_letter
from topics.publisher import Delivery, Publisher
from topics.reader import ReadRecord
from topics.settings import KafkaSettings

PATIENCE = 120.0
PRODUCTS = 300
TOO_MANY_ATTRIBUTES = {f"attribute {number}": [str(value) for value in range(20)] for number in range(300)}


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def assert_equal(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Says what was found and what was wanted, of those alone that are not equal."""
    pairs = {name: (found.get(name), wanted.get(name)) for name in found.keys() | wanted.keys()}
    wrong = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    assert not wrong, wrong


def quick_settings(folder: Path) -> Settings:
    """Encoders without a model, and a group that soon notices a dead worker."""
    changes = {
        "encoders": {"text": {"model": "hash"}, "image": {"model": "hash"}},
        "worker": {"session_timeout_seconds": 6, "picture_fetchers": 2},
        "server": {"port": 0},
    }
    return changed_settings(embedded_settings(Settings(), folder), changes)


@dataclass
class Shop:
    """What a shop sends, and what must come of it."""

    settings: Settings
    publisher: Publisher
    newest: dict[str, dict[str, Any]] = field(default_factory=dict)  # of a tombstone its `updated_at` alone
    sent: int = 0
    poison: int = 0
    lost: list[Delivery] = field(default_factory=list)  # what the broker never acknowledged

    def send(self, product_id: str, version: int, **fields: Any) -> None:
        """An event at `version` milliseconds."""
        event = {"id": product_id, "updated_at": version, "title": f"title {version}", **fields}
        self.send_raw(product_id, json.dumps(event).encode())
        self.newest[product_id] = event

    def remove(self, product_id: str, version: int) -> None:
        self.send_raw(product_id, None, deletion_headers(version * 1_000))
        self.newest[product_id] = {"updated_at": version}

    def send_raw(self, key: str, value: bytes | None, headers: Mapping[str, bytes] | None = None) -> None:
        self.publisher.publish(CATALOG_PRODUCTS, key.encode(), value, headers, self._note)
        self.sent += 1

    def send_poison(self) -> None:
        self.send_raw(f"poison {self.poison}", b"{broken")
        self.poison += 1

    def send_refused(self) -> None:
        """A poison that can be read; the index cannot hold it."""
        product_id = f"poison {self.poison}"
        product = {"id": product_id, "updated_at": 1, "title": "too much", "attributes": TOO_MANY_ATTRIBUTES}
        self.send_raw(product_id, json.dumps(product).encode())
        self.poison += 1

    def _note(self, delivery: Delivery) -> None:
        if delivery.error:
            self.lost.append(delivery)

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
        assert self.lost == []
        with index_products_lag(self.settings) as lag:
            wait_until(lambda: lag.events() == 0)

    def assert_newest_is_searchable(self) -> None:
        names = list(self.newest)
        index = self.index()
        try:
            documents, states, count = index.documents(names), index.states(names), index.count()
        finally:
            index.close()
        held = {id_: (one.version, one.deleted) for id_, one in states.items()}
        wanted = {id_: (event["updated_at"] * 1_000, "title" not in event) for id_, event in self.newest.items()}
        assert_equal(held, wanted)
        shown = {id_: (document["title"], document.get("price")) for id_, document in documents.items()}
        sold = {id_: (one["title"], one.get("price")) for id_, one in self.newest.items() if "title" in one}
        assert_equal(shown, sold)
        assert count == len(sold)

    def assert_poison_is_put_aside(self) -> None:
        """Each in the dead letters, and nothing else; a crash may have repeated some, from the same place."""
        letters = self.dead_letters()
        assert {letter.key for letter in letters} == {f"poison {number}".encode() for number in range(self.poison)}
        assert len({letter.source for letter in letters}) == self.poison

    def dead_letters(self) -> list[DeadLetter]:
        """With all repeats."""
        records = self.read(dead_letter_topic(CATALOG_PRODUCTS))
        return [parse_letter(record.key, record.value, list(record.headers.items())) for record in records]

    def events_told(self) -> int:
        """Events of which something became, each counted once; no two may be of one product and version."""
        indexed = [json.loads(record.value or b"{}") for record in self.read(CATALOG_INDEXED)]
        return len({(one["product_id"], one["version"]) for one in indexed}) + len(
            {letter.source for letter in self.dead_letters()}
        )

    def read(self, topic: str) -> list[ReadRecord]:
        """All that the topic holds now."""
        kafka = self.settings.kafka
        reader = Consumer(
            client_config(kafka)
            | {
                "group.id": "shop",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
            }
        )
        partitions = reader.list_topics(kafka.on_broker(topic), PATIENCE).topics[kafka.on_broker(topic)].partitions
        reader.assign([TopicPartition(kafka.on_broker(topic), number, OFFSET_BEGINNING) for number in partitions])
        records: list[ReadRecord] = []
        unread = set(partitions)
        while unread:
            message = reader.poll(PATIENCE)
            assert message is not None
            if message.error() is None:
                headers = dict(message.headers() or ())
                place = (topic, message.partition(), message.offset())
                records.append(ReadRecord(*place, message.key(), message.value(), headers))
            else:
                assert message.error().code() == KafkaError._PARTITION_EOF
                unread.discard(message.partition())
        reader.close()
        return records

    def records_told(self) -> int:
        """Events of which something became, good or bad."""
        return len(self.read(CATALOG_INDEXED)) + len(self.read(dead_letter_topic(CATALOG_PRODUCTS)))


def a_day_of_changes(shop: Shop, seed: int, events: int, first: int = 1) -> Iterator[int]:
    """Sends new versions, price changes, tombstones and 1 % poison, and gives the number of each event.

    `first` is the version of the first one: a second day goes on behind the last number of the day before.
    """
    rng = random.Random(seed)
    for number in range(first, first + events):
        name = f"p{rng.randrange(PRODUCTS)}"
        kind = rng.random()
        if kind < 0.01:
            shop.send_poison()
        elif kind < 0.06:
            shop.remove(name, number)
        elif kind < 0.3:
            title = shop.newest.get(name, {}).get("title", "first")
            shop.send(name, number, title=title, price=number, currency="EUR")
        else:
            shop.send(name, number)
        yield number


@contextmanager
def open_for_business(shop: Shop, events_a_second: int = 100) -> Iterator[None]:
    """Changes keep coming, from another thread, until the block ends."""
    first = shop.sent + 1
    closing = threading.Event()

    def trade() -> None:
        for _ in a_day_of_changes(shop, first, sys.maxsize - first, first):
            if closing.wait(1 / events_a_second):
                return

    with ThreadPoolExecutor(1) as pool:
        trading = pool.submit(trade)
        try:
            yield
        finally:
            closing.set()
            trading.result()


@contextmanager
def bare_worker(config: Path, module: Sequence[str] = ("cli.main", "worker")) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker without a supervisor, to see how it ends."""
    log = config.with_name("worker.log")
    with log.open("ab") as end:
        command = [sys.executable, "-m", *module, "--config", str(config)]
        with subprocess.Popen(command, stdout=end, stderr=end) as process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def opened_shop(folder: Path, kafka: KafkaSettings) -> Iterator[Shop]:
    """A shop on a broker that runs, with a milvus-lite of its own and no worker yet."""
    with EmbeddedMilvus(folder / "milvus") as milvus:
        settings = quick_settings(folder).model_copy(update={"kafka": kafka})
        settings = changed_settings(settings, {"index": {"uri": milvus.uri}})
        with open_publisher(settings, "shop") as publisher:
            yield Shop(settings, publisher)


def worker_config(folder: Path, settings: Settings, **worker: Any) -> Path:
    """The settings file of a worker that has a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "millrace.toml"
    config.write_text(settings_file(changed_settings(settings, {"worker": worker})))
    return config
