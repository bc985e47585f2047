"""What only a real broker can tell: where a point in time lies in a topic."""

import time
from collections.abc import Sequence
from threading import Event

import pytest

from topics.catalogue import CATALOG_INDEXED
from topics.follower import TopicFollower
from topics.publisher import Message, Publisher
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord

pytestmark = pytest.mark.services

PATIENCE = 20.0


def text(record: KeptRecord) -> tuple[str, int]:
    return (record.value or b"").decode(), record.timestamp_ms


def test_events_since_a_time_are_played_again_and_then_it_follows(kafka: KafkaSettings) -> None:
    publisher = Publisher(kafka, "test-follower")
    heard: list[tuple[str, int]] = []
    complete = Event()

    def listen(events: Sequence[tuple[str, int]]) -> None:
        heard.extend(events)
        if heard[-1][0] == "live":
            complete.set()

    def publish(value: bytes) -> None:
        publisher.publish_and_wait([Message(CATALOG_INDEXED, b"key", value)], PATIENCE)

    publish(b"old")
    time.sleep(0.05)  # the broker's clock counts milliseconds
    since = time.time()
    publish(b"new")
    with TopicFollower(kafka, CATALOG_INDEXED, text, [listen], since=since) as follower:
        assert follower.wait_until_following(PATIENCE)
        publish(b"live")
        assert complete.wait(PATIENCE)
    publisher.close()

    assert [value for value, _ in heard] == ["new", "live"]
    assert all(at >= since * 1000 - 1 for _, at in heard)
