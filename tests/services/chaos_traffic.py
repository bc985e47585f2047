"""What a shop sends through the chaos, by two producers that know nothing of each other."""

import json
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Producer

from cli.settings import Settings
from tests.services.shop import PRODUCTS, Shop
from topics.catalogue import CATALOG_PRODUCTS
from topics.clients import client_config
from topics.publisher import Publisher

_EVENTS_A_SECOND = 60
_TRANSACTION_SECONDS = 30.0  # of a broker that has just been started


class Traffic:
    """Changes, repeats, stale versions, tombstones and poison."""

    def __init__(self, shop: Shop, publishers: Sequence[Publisher], rng: random.Random) -> None:
        self._shop = shop
        self._publishers = publishers
        self._rng = rng
        self._version = 0
        self._older: dict[str, dict[str, Any]] = {}

    def run_until(self, ended: threading.Event) -> None:
        while not ended.wait(self._rng.expovariate(_EVENTS_A_SECOND)):
            self.send_one()

    def send_one(self) -> None:
        self._version += 1
        self._shop.publisher = self._rng.choice(self._publishers)
        name = f"p{self._rng.randrange(PRODUCTS)}"
        kind = self._rng.random()
        if kind < 0.01:
            self._shop.send_poison()
        elif kind < 0.015:
            self._shop.send_refused()
        elif kind < 0.06:
            self._shop.remove(name, self._version)
        elif kind < 0.12 and name in self._older:  # stale, often behind a tombstone
            self._shop.send_raw(name, json.dumps(self._older[name]).encode())
        else:
            self._send_change(name, kind)

    def _send_change(self, name: str, kind: float) -> None:
        newest = self._shop.newest.get(name, {})
        if "title" not in newest:
            self._shop.send(name, self._version)
        elif kind < 0.18:  # the same once more
            self._shop.send_raw(name, json.dumps(newest).encode())
        else:
            self._older[name] = newest
            price_alone = {"title": newest["title"], "price": self._version, "currency": "EUR"}
            self._shop.send(name, self._version, **(price_alone if kind < 0.4 else {}))


@contextmanager
def traffic(shop: Shop, publishers: Sequence[Publisher], rng: random.Random) -> Iterator[None]:
    """Until the block ends, from another thread; raises what ended it before."""
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(Traffic(shop, publishers, rng).run_until, ended)
        try:
            yield
        finally:
            ended.set()
            sending.result()


def abort_a_transaction(settings: Settings, name: str) -> None:
    """A newer version that never was."""
    producer = Producer({**client_config(settings.kafka), "transactional.id": "chaos", "transaction.timeout.ms": 5_000})
    event = {"id": name, "updated_at": 10**9, "title": "aborted, must never be seen"}
    producer.init_transactions(_TRANSACTION_SECONDS)
    producer.begin_transaction()
    producer.produce(settings.kafka.on_broker(CATALOG_PRODUCTS), json.dumps(event), name)
    assert producer.flush(_TRANSACTION_SECONDS) == 0
    producer.abort_transaction(_TRANSACTION_SECONDS)
