"""A publisher without a broker: the test decides when each message is acknowledged, and whether it is."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from topics.publisher import Acknowledgements, PublisherOverloaded


@dataclass(frozen=True)
class SentMessage:
    """What librdkafka hands to a delivery report."""

    sent_to: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    on_delivery: Acknowledgements

    def topic(self) -> str:
        return self.sent_to


@dataclass(frozen=True)
class FixedError:
    reason: str

    def str(self) -> str:
        return self.reason


@dataclass
class FixedPublisher:
    """Takes messages as topics.publisher.Publisher does, after `overloads` refusals because the queue is full."""

    overloads: int = 0
    at_once: bool = False
    sent: list[SentMessage] = field(default_factory=list)
    flushes: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[SentMessage] = []

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: Acknowledgements | None = None,
    ) -> None:
        assert on_delivery is not None
        with self._lock:
            if self.overloads:
                self.overloads -= 1
                raise PublisherOverloaded("the queue is full")
            message = SentMessage(topic, key, value, dict(headers or {}), on_delivery)
            self.sent.append(message)
            self._waiting.append(message)
        if self.at_once:
            self.acknowledge()

    def publish_many(
        self, topic: str, messages: Sequence[tuple[bytes, bytes]], acknowledgements: Acknowledgements
    ) -> Sequence[tuple[bytes, bytes]]:
        for position, (key, value) in enumerate(messages):
            try:
                self.publish(topic, key, value, None, acknowledgements)
            except PublisherOverloaded:
                return messages[position:]
        return ()

    def flush(self, timeout_seconds: float) -> int:
        self.flushes += 1
        return 0

    def acknowledge(self, count: int | None = None) -> None:
        """The broker takes the oldest `count` messages that wait, or all."""
        for message in self._take(count):
            message.on_delivery(None, message)

    def fail(self, reason: str) -> None:
        """The broker does not take the oldest message that waits."""
        for message in self._take(1):
            message.on_delivery(FixedError(reason), message)  # type: ignore[arg-type]

    def _take(self, count: int | None) -> list[SentMessage]:
        with self._lock:
            taken = self._waiting[:count]
            del self._waiting[: len(taken)]
            return taken
