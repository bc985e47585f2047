"""Messages to the broker on behalf of a client that waits for them."""

from collections.abc import Sequence

from monitoring.metrics import Metrics
from topics.publisher import Message, Publisher


class WaitingPublisher:
    """Publishes, waits until the broker has acknowledged, and counts what became of it. Blocks: call from a thread."""

    def __init__(self, publisher: Publisher, metrics: Metrics, timeout_seconds: float) -> None:
        self._publisher = publisher
        self._published = metrics.published
        self._timeout_seconds = timeout_seconds

    def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """All of one topic. Raises PublisherError where not every one was acknowledged within the time."""
        outcome = "failed"
        try:
            self._publisher.publish_and_wait(messages, self._timeout_seconds)
            outcome = "acknowledged"
        finally:
            self._published.labels(topic, outcome).inc(len(messages))
