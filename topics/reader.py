"""Reads a topic from its start without joining any group: for watching, not for working."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from topics.admin import TopicAdmin
from topics.clients import client_config
from topics.settings import KafkaSettings

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One record as it lies on the broker."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


class TopicReader:
    """Every record of some topics, those that were there before included.

    Topics are named as in the table, without the namespace of the settings. Not thread-safe.
    """

    def __init__(self, settings: KafkaSettings, topics: Sequence[str]) -> None:
        """Raises BrokerError when the broker does not answer or lacks a topic."""
        self._in_millrace = settings.in_millrace
        partitions = TopicAdmin(settings).partitions([settings.on_broker(topic) for topic in topics])
        # A consumer needs a group's name even if it joins none and commits nothing.
        self._consumer = Consumer(
            {
                **client_config(settings),
                "group.id": settings.on_broker("millrace-reader"),
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
            }
        )
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic, count in partitions.items()
                for partition in range(count)
            ]
        )

    def read(self, timeout_seconds: float) -> Iterator[ReadRecord]:
        """What has come since the last call; nothing when nothing comes within the time."""
        for message in self._consumer.consume(_AT_ONCE, timeout_seconds):
            if message.error() is None:
                yield ReadRecord(
                    self._in_millrace(message.topic()),
                    message.partition(),
                    message.offset(),
                    message.key(),
                    message.value(),
                    dict(message.headers() or ()),
                )

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
