"""Follows one topic for as long as the process lives, without joining a group: for watching, not for working."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from topics.admin import BrokerError
from topics.causes import BrokerCauses
from topics.clients import client_config
from topics.follower_places import FollowedPartitions
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord

logger = logging.getLogger(__name__)

T = TypeVar("T")
Listener = Callable[[Sequence[T]], None]

_AT_ONCE = 500
_POLL_SECONDS = 0.2
_LOOK_SECONDS = 5.0
_PAUSE_SECONDS = (0.5, 1.0, 2.0, 5.0)  # after the first failure in a row, the second, and so on
_HARMLESS = (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT)  # the end; a connection that is made anew


class FollowingFailure(StrEnum):
    """Why something was not heard of, or only later: the label of its counter."""

    BROKER = "broker"
    UNREADABLE = "unreadable"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True)
class FollowerReports:
    """Whom a follower tells how it fares: `behind` in records, each few seconds."""

    on_connected: Callable[[bool], None] = lambda connected: None
    on_behind: Callable[[int], None] = lambda records: None
    on_failure: Callable[[FollowingFailure], None] = lambda failure: None


class TopicFollower(Generic[T]):
    """Hands what comes on a topic to listeners, on a thread of its own, in the order of each partition.

    It begins with what comes after it has first reached the broker, or with the records since a time of the broker
    (`since`, seconds since 1970), which plays past events again. While the broker is away, or has no such topic, it
    tries again, and goes on where it was. `decode` raises ValueError for a record to be left out. A listener that
    raises loses that batch, and nobody else does. Use as a context manager.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        topic: str,
        decode: Callable[[KeptRecord], T],
        listeners: Sequence[Listener[T]],
        reports: FollowerReports | None = None,
        since: float | None = None,
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._decode = decode
        self._listeners = listeners
        self._reports = reports or FollowerReports()
        self._since = since
        self._partitions = FollowedPartitions(kafka, topic)
        self._next: dict[int, int] = {}  # by partition: the offset to read next
        self._connected = False
        self._failures = 0  # in a row
        self._complaint = ""
        self._ended = threading.Event()
        self._following = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow {topic}", daemon=True)

    def wait_until_following(self, timeout_seconds: float) -> bool:
        """Whether, within the time, it has its place in the topic: what comes from then on will be heard."""
        return self._following.wait(timeout_seconds)

    def close(self) -> None:
        """Stop within a few seconds. What was read is handed over before."""
        self._ended.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                with self._consumer() as consumer:
                    partitions = self._assign(consumer)
                    self._following.set()
                    self._read(consumer, partitions)
            except BrokerError as error:
                self._failed(str(error))
                self._ended.wait(_PAUSE_SECONDS[min(self._failures, len(_PAUSE_SECONDS)) - 1])
        self._reports.on_connected(False)

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        """Raises BrokerError for all that Kafka does not do within."""
        causes = BrokerCauses(self._kafka)
        # A consumer needs a group's name even if it joins none and commits nothing.
        config: dict[str, Any] = {
            **client_config(self._kafka),
            "group.id": self._kafka.on_broker("millrace-follower"),
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",  # where the broker has forgotten our place, or is a new one
            "enable.partition.eof": True,  # the sign that reading works where there is nothing to read
            "fetch.wait.max.ms": 50,
            "error_cb": causes.remember,
        }
        try:
            consumer = Consumer(config)
            try:
                yield consumer
            finally:
                consumer.close()
        except KafkaException as error:
            raise BrokerError(causes.explain(error.args[0])) from error

    def _assign(self, consumer: Consumer) -> int:
        """Take up every partition at its place. Returns how many there are."""
        consumer.poll(0)  # serves the callback with the cause of a failure; nothing is assigned that it could read
        partitions = self._partitions.count(consumer)
        if not self._next:
            self._next = self._partitions.first_offsets(consumer, partitions, self._since)
        consumer.assign([self._partitions.place(number, self._next.get(number, 0)) for number in range(partitions)])
        return partitions

    def _read(self, consumer: Consumer, partitions: int) -> None:
        """Until the end, or until the topic has other partitions. Raises what Kafka raises, and BrokerError."""
        look_at = time.monotonic()
        while not self._ended.is_set():
            messages = consumer.consume(1, _POLL_SECONDS)
            if messages:
                self._take([*messages, *consumer.consume(_AT_ONCE, 0)])
            if time.monotonic() >= look_at:
                self._reports.on_behind(self._partitions.behind(consumer, self._next))
                if self._partitions.count(consumer) != partitions:
                    return
                look_at = time.monotonic() + _LOOK_SECONDS

    def _take(self, messages: Sequence[Message]) -> None:
        """Hand over the records among them, then raise KafkaException if reading failed."""
        self._hand_over([message for message in messages if message.error() is None])
        errors = [error for message in messages if (error := message.error()) is not None]
        for error in errors:
            if not error.retriable() and error.code() not in _HARMLESS:
                raise KafkaException(error)
        if len(errors) < len(messages) or any(error.code() == KafkaError._PARTITION_EOF for error in errors):
            self._answered()

    def _hand_over(self, records: Sequence[Message]) -> None:
        events = []
        for message in records:
            self._next[message.partition()] = message.offset() + 1
            try:
                events.append(self._decode(_record(message, self._topic)))
            except ValueError as error:
                self._reports.on_failure(FollowingFailure.UNREADABLE)
                logger.warning("A record of %s cannot be read: %s", self._topic, error)
        for listener in self._listeners if events else ():
            try:
                listener(events)
            except Exception:
                self._reports.on_failure(FollowingFailure.LISTENER)
                logger.exception("%d events of %s were lost on one listener", len(events), self._topic)

    def _answered(self) -> None:
        """Reading works, which a place in the topic alone does not say."""
        if self._connected:
            return
        if self._complaint:
            logger.info("%s is followed again", self._topic)
        self._connected = True
        self._failures = 0
        self._complaint = ""
        self._reports.on_connected(True)

    def _failed(self, cause: str) -> None:
        """One line for each cause, however often it comes in a row."""
        self._connected = False
        self._failures += 1
        self._reports.on_connected(False)
        self._reports.on_failure(FollowingFailure.BROKER)
        if cause != self._complaint:
            logger.warning("%s cannot be followed, it is tried again: %s", self._topic, cause)
        self._complaint = cause


def _record(message: Message, topic: str) -> KeptRecord:
    return KeptRecord(
        topic,
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )
