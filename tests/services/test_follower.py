"""What only a real broker can tell: where a point in time lies in a topic."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from cli.following import follow_indexed
from monitoring.metrics import create_metrics
from topics.catalogue import CATALOG_INDEXED
from topics.events import ProductIndexed
from topics.follower import TopicFollower
from topics.publisher import Message, Publisher
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord

pytestmark = pytest.mark.services

PATIENCE = 20.0


class Heard:
    """Texts with their times, until one of them is `last`."""

    def __init__(self, last: str) -> None:
        self.events: list[tuple[str, int]] = []
        self._last = last
        self._complete = Event()

    def listen(self, events: Sequence[tuple[str, int]]) -> None:
        self.events += events
        if events[-1][0] == self._last:
            self._complete.set()

    def wait(self) -> None:
        assert self._complete.wait(PATIENCE), self.events


def text(record: KeptRecord) -> tuple[str, int]:
    return (record.value or b"").decode(), record.timestamp_ms


@pytest.fixture
def publish(kafka: KafkaSettings) -> Iterator[Callable[[bytes], None]]:
    publisher = Publisher(kafka, "test-follower")
    yield lambda value: publisher.publish_and_wait([Message(CATALOG_INDEXED, b"key", value)], PATIENCE)
    publisher.close()


def test_events_since_a_time_are_played_again_and_then_it_follows(
    kafka: KafkaSettings, publish: Callable[[bytes], None]
) -> None:
    publish(b"old")
    first = Heard("old")
    with TopicFollower(kafka, CATALOG_INDEXED, text, [first.listen], since=time.time() - 60):
        first.wait()
    since = (first.events[-1][1] + 1.5) / 1000  # the broker's clock counts milliseconds
    publish(b"new")
    heard = Heard("live")
    with TopicFollower(kafka, CATALOG_INDEXED, text, [heard.listen], since=since) as follower:
        assert follower.wait_until_following(PATIENCE)
        publish(b"live")
        heard.wait()

    assert [value for value, _ in heard.events] == ["new", "live"]
    assert all(at >= since * 1000 - 1 for _, at in heard.events)


def test_what_was_indexed_before_a_server_has_reached_the_broker_is_heard(
    kafka: KafkaSettings, publish: Callable[[bytes], None]
) -> None:
    started = datetime.now(UTC)
    indexed = ProductIndexed(
        product_id="early",
        version=1,
        outcome="indexed",
        index=None,
        releases={},
        event_at=1,
        received_at=1,
        encoded_at=None,
        searchable_at=1,
    )
    publish(indexed.model_dump_json().encode())
    heard: list[str] = []
    complete = Event()

    def listen(events: Sequence[ProductIndexed]) -> None:
        heard.extend(event.product_id for event in events)
        complete.set()

    with follow_indexed(kafka, create_metrics(CollectorRegistry()), [listen], lambda: started):
        assert complete.wait(PATIENCE)
    assert heard == ["early"]
