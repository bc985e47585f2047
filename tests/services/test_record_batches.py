"""Record batches on a real group and real fetches: what is committed, what is held back, what is read again."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, cast

import faust
import pytest
from aiokafka.structs import ConsumerRecord
from confluent_kafka import Producer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from monitoring.lag import GroupLag
from streams.app import create_app
from streams.pipeline import Pipeline
from streams.settings import WorkerSettings
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP
from topics.embedded_broker import EmbeddedBroker
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

PATIENCE = 60.0


@dataclass
class Batch:
    """One fetch as the pipeline got it."""

    records: Sequence[ConsumerRecord]
    acknowledge: Callable[[], None]

    @property
    def values(self) -> list[bytes]:
        return [record.value for record in self.records]

    @property
    def partition(self) -> int:
        (partition,) = {record.partition for record in self.records}
        return int(partition)


@dataclass
class Listener:
    """The real app with its agent, on a thread of its own; the test is the pipeline and acknowledges by hand."""

    kafka: KafkaSettings
    max_batches_in_flight: int = 16
    batches: "queue.SimpleQueue[Batch]" = field(default_factory=queue.SimpleQueue)
    crashes: list[BaseException] = field(default_factory=list)

    def submit(self, records: Sequence[ConsumerRecord], acknowledge: Callable[[], None]) -> None:
        self.batches.put(Batch(records, acknowledge))

    def take(self, timeout: float = PATIENCE) -> Batch:
        batch = self.batches.get(timeout=timeout)
        self._taken.append(batch)
        return batch

    def take_records(self, count: int) -> list[Batch]:
        """Batches until they hold so many records."""
        taken: list[Batch] = []
        while sum(len(batch.records) for batch in taken) < count:
            taken.append(self.take())
        return taken

    def __enter__(self) -> "Listener":
        self._taken: list[Batch] = []
        self._started: queue.SimpleQueue[faust.App] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)
        self._thread.start()
        self.app = self._started.get(timeout=PATIENCE)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.begin_to_stop()
        if kind is not None:  # the stop would wait for ever for what the test still holds
            for batch in self._taken:
                batch.acknowledge()
        deadline = time.monotonic() + PATIENCE
        while self._thread.is_alive():  # the stop waits for whatever was still fetched
            assert time.monotonic() < deadline
            with suppress(queue.Empty):
                self.batches.get(timeout=0.05).acknowledge()
        assert self.crashes == []

    def begin_to_stop(self) -> None:
        self._stop.set()

    async def _live(self) -> None:
        settings = WorkerSettings(
            max_batches_in_flight=self.max_batches_in_flight,
            fetch_max_wait_seconds=0.05,
            commit_interval_seconds=0.1,
            session_timeout_seconds=6,
        )
        app = create_app(settings, self.kafka, cast(Pipeline, self), self.crashes.append)  # type: ignore[arg-type]
        await app.start()
        self._started.put(app)
        await asyncio.to_thread(self._stop.wait)
        await app.stop()


@pytest.fixture
def kafka() -> Iterator[KafkaSettings]:
    with EmbeddedBroker(partitions=2) as broker:
        yield KafkaSettings(bootstrap_servers=broker.bootstrap_servers)


@pytest.fixture
def lag(kafka: KafkaSettings) -> Iterator[GroupLag]:
    with GroupLag({"bootstrap.servers": kafka.bootstrap_servers}, INDEX_PRODUCTS_GROUP, CATALOG_PRODUCTS) as lag:
        yield lag


@contextmanager
def producing(kafka: KafkaSettings) -> Iterator[Callable[..., None]]:
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 0})

    def produce(partition: int, *values: str) -> None:
        for value in values:
            producer.produce(CATALOG_PRODUCTS, value.encode(), partition=partition)
        assert producer.flush(PATIENCE) == 0

    yield produce


@pytest.fixture
def produce(kafka: KafkaSettings) -> Iterator[Callable[..., None]]:
    with producing(kafka) as produce:
        yield produce


def wait_for(what: Callable[[], Any], expected: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := what()) != expected:
        assert time.monotonic() < deadline, f"{found} is not {expected}"
        time.sleep(0.02)


def test_every_record_comes_once_and_in_order(
    kafka: KafkaSettings, lag: GroupLag, produce: Callable[..., None]
) -> None:
    values = [str(number) for number in range(2_500)]
    produce(0, *values)
    produce(1, *values)
    with Listener(kafka) as listener:
        got: dict[int, list[bytes]] = {0: [], 1: []}
        while sum(map(len, got.values())) < 5_000:
            batch = listener.take()
            got[batch.partition] += batch.values
            batch.acknowledge()

        assert got == {0: [value.encode() for value in values], 1: [value.encode() for value in values]}
        wait_for(lag.committed, {0: 2_500, 1: 2_500})
        assert listener.batches.empty()


def test_a_consumer_that_starts_slowly_starts(
    kafka: KafkaSettings, produce: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine Faust's table manager asks for the assignment before the consumer's thread has one."""
    on_start = AIOKafkaConsumerThread.on_start

    async def slowly(self: AIOKafkaConsumerThread) -> None:
        await asyncio.sleep(2.0)  # the table manager waits for one second
        await on_start(self)

    monkeypatch.setattr(AIOKafkaConsumerThread, "on_start", slowly)
    produce(0, "a")
    with Listener(kafka) as listener:
        batch = listener.take()
        batch.acknowledge()

        assert batch.values == [b"a"]


def test_a_batch_in_flight_is_never_jumped_over(
    kafka: KafkaSettings, lag: GroupLag, produce: Callable[..., None]
) -> None:
    """Commits are those of an acknowledged beginning, whatever came back first behind it."""
    with Listener(kafka) as listener:
        produce(0, "a", "b")
        first = listener.take_records(2)
        produce(0, "c")
        second = listener.take()
        produce(1, "d")
        elsewhere = listener.take()

        second.acknowledge()
        elsewhere.acknowledge()
        wait_for(lag.committed, {1: 1})  # commits go on, and partition 0 has none

        for batch in first:
            batch.acknowledge()
        wait_for(lag.committed, {0: 3, 1: 1})


def test_no_more_batches_than_allowed_are_in_flight(kafka: KafkaSettings, produce: Callable[..., None]) -> None:
    with Listener(kafka, max_batches_in_flight=2) as listener:
        taken = []
        for value in ("a", "b"):
            produce(0, value)
            taken.append(listener.take())
        produce(0, "c")
        produce(1, "d")
        with pytest.raises(queue.Empty):
            listener.take(timeout=0.5)

        taken[0].acknowledge()
        taken[1].acknowledge()
        rest = listener.take_records(2)
        for batch in rest:
            batch.acknowledge()
        assert sorted(value for batch in rest for value in batch.values) == [b"c", b"d"]


def test_a_stop_waits_for_what_is_in_flight_and_commits_it(
    kafka: KafkaSettings, lag: GroupLag, produce: Callable[..., None]
) -> None:
    with Listener(kafka) as listener:
        produce(0, "a", "b")
        taken = listener.take_records(2)
        listener.begin_to_stop()
        threading.Timer(0.5, lambda: [batch.acknowledge() for batch in taken]).start()

    assert lag.committed() == {0: 2}


def test_what_was_not_acknowledged_is_read_again_by_the_next_one(
    kafka: KafkaSettings, lag: GroupLag, produce: Callable[..., None]
) -> None:
    produce(0, "a", "b", "c")
    with Listener(kafka) as first:
        for batch in first.take_records(3):
            batch.acknowledge()
        wait_for(lag.committed, {0: 3})
    produce(0, "d")
    with Listener(kafka) as second:
        batch = second.take()
        batch.acknowledge()

        assert batch.values == [b"d"]
        assert batch.records[0].offset == 3
        wait_for(lag.committed, {0: 4})
