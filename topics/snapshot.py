"""Reads what some topics hold now, from their start to their end, without joining a group."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from topics.admin import BrokerError, TopicAdmin
from topics.clients import client_config
from topics.settings import KafkaSettings

_TIMEOUT_SECONDS = 10.0
_STALLED_SECONDS = 20.0
_AT_ONCE = 200
_GATHER_SECONDS = 0.05  # `consume` waits as long as this for a full batch


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record with all that it has. `timestamp_ms` is the broker's time on Millrace's topics."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """How many records a snapshot has read, of about how many, and how many the broker has thrown away before."""

    read: int
    total: int
    forgotten: int


class Snapshot:
    """What topics of the table hold at one time. Topics are named as in the table, without the namespace."""

    def __init__(self, kafka: KafkaSettings, topics: Collection[str]) -> None:
        """Raises BrokerError when the broker does not answer or lacks a topic."""
        self._kafka = kafka
        partitions = TopicAdmin(kafka).partitions([kafka.on_broker(topic) for topic in topics])
        self._places = [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic, number in partitions.items()
            for partition in range(number)
        ]

    def read(
        self,
        on_record: Callable[[KeptRecord], None],
        on_progress: Callable[[Extent], None],
        enough: Callable[[], bool] = lambda: False,
    ) -> Extent:
        """Every record, in the order of each partition, or what of them is `enough`. Raises BrokerError."""
        with self._consumer() as consumer:
            marks = [consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS) for place in self._places]
            total, forgotten = sum(high - low for low, high in marks), sum(low for low, _ in marks)
            consumer.assign(self._places)
            read = 0
            for message in self._messages(consumer):
                on_record(self._record(message))
                read += 1
                if read % _AT_ONCE == 0:
                    on_progress(Extent(read, total, forgotten))
                if enough():
                    break
        return Extent(read, total, forgotten)

    def _messages(self, consumer: Consumer) -> Iterator[Message]:
        """Up to the end of each partition as it is when it is reached."""
        left = {(place.topic, place.partition) for place in self._places}
        give_up_at = time.monotonic() + _STALLED_SECONDS
        while left:
            for message in consumer.consume(_AT_ONCE, _GATHER_SECONDS):
                give_up_at = time.monotonic() + _STALLED_SECONDS
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard((message.topic(), message.partition()))
                else:
                    raise KafkaException(error)
            if time.monotonic() > give_up_at:
                raise BrokerError(
                    f"{self._kafka.bootstrap_servers} sent nothing for {_STALLED_SECONDS:.0f} s: try again"
                )

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        try:
            # A consumer needs a group's name even if it joins none and commits nothing.
            consumer = Consumer(
                {
                    **client_config(self._kafka),
                    "group.id": self._kafka.on_broker("millrace-reader"),
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 50,
                }
            )
            try:
                yield consumer
            finally:
                consumer.close()
        except KafkaException as error:
            raise BrokerError(f"cannot read from {self._kafka.bootstrap_servers}: {error.args[0].str()}") from error

    def _record(self, message: Message) -> KeptRecord:
        return KeptRecord(
            self._kafka.in_millrace(message.topic()),
            message.partition(),
            message.offset(),
            message.timestamp()[1],
            message.key(),
            message.value(),
            tuple(message.headers() or ()),
        )
