"""Publishes from an agent's thread and waits until the broker has all of it."""

import threading
from collections.abc import Callable, Sequence

from monitoring.metrics import Metrics
from streams.reading import Rejected
from topics.catalogue import dead_letter_topic
from topics.dead_letters import DeadLetter, Source, header_pairs, refused
from topics.publisher import Acknowledgements, Publisher, PublisherOverloaded

_LOOK_SECONDS = 1.0


class NotTaken(Exception):
    """The broker did not take a message for good."""


class Outbox:
    """One agent's way out. `on_wait` is called while the broker takes its time."""

    def __init__(self, publisher: Publisher, metrics: Metrics, on_wait: Callable[[], None]) -> None:
        self._publisher = publisher
        self._metrics = metrics
        self._on_wait = on_wait

    def send(self, topic: str, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Returns when all are acknowledged. Raises NotTaken."""
        waiting = _Waiting(len(messages), self._on_wait)
        left: Sequence[tuple[bytes, bytes]] = messages
        while left := self._publisher.publish_many(topic, left, waiting.acknowledgements):
            self._wait_for_room()
        waiting.wait()

    def put_aside(self, topic: str, rejected: Sequence[Rejected]) -> None:
        """To the dead letters of `topic`. Returns when all are acknowledged. Raises NotTaken."""
        waiting = _Waiting(len(rejected), self._on_wait)
        for record, why in rejected:
            source = Source(topic, record.partition, record.offset, record.timestamp)
            letter = refused(source, record.key, record.value, record.headers or (), why)
            self._publish(topic, letter, waiting.acknowledgements)
            self._metrics.events.labels(topic, "rejected").inc()
            self._metrics.dead_letters.labels(topic, why.reason).inc()
        waiting.wait()

    def _publish(self, topic: str, letter: DeadLetter, acknowledgements: Acknowledgements) -> None:
        while True:
            try:
                self._publisher.publish(
                    dead_letter_topic(topic), letter.key, letter.value, header_pairs(letter), acknowledgements
                )
                return
            except PublisherOverloaded:
                self._wait_for_room()

    def _wait_for_room(self) -> None:
        self._metrics.retries.labels("publish", "queue_full").inc()
        self._on_wait()
        self._publisher.flush(_LOOK_SECONDS)


class _Waiting:
    def __init__(self, expected: int, on_wait: Callable[[], None]) -> None:
        self._ended = threading.Event()
        self._failure = ""
        self._on_wait = on_wait
        self.acknowledgements = Acknowledgements(expected, self._ended.set, self._fail)

    def wait(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self._on_wait()
        if self._failure:
            raise NotTaken(f"the broker did not take a message: {self._failure}")

    def _fail(self, detail: str) -> None:
        self._failure = detail
        self._ended.set()
