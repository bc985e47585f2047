"""The follower against librdkafka's mock broker in this process, and against no broker at all."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, TopicPartition

from topics import follower
from topics.admin import BrokerError
from topics.embedded_broker import MockCluster
from topics.follower import FollowerReports, FollowingFailure, TopicFollower
from topics.follower_places import FollowedPartitions
from topics.publisher import Message, Publisher
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord

WAIT_SECONDS = 10.0
TOPIC = "numbers"
MANY = 150
_FETCH = 1


class Heard:
    """A listener that remembers, and what the follower told of itself."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.failures: list[FollowingFailure] = []
        self.connected: list[bool] = []
        self._changed = threading.Condition()

    def listen(self, numbers: Sequence[int]) -> None:
        with self._changed:
            self.numbers += numbers
            self._changed.notify_all()

    def reports(self) -> FollowerReports:
        return FollowerReports(on_connected=self._connected, on_failure=self._failed)

    def wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_SECONDS), (self.numbers, self.failures, self.connected)

    def _connected(self, connected: bool) -> None:
        with self._changed:
            self.connected.append(connected)
            self._changed.notify_all()

    def _failed(self, failure: FollowingFailure) -> None:
        with self._changed:
            self.failures.append(failure)
            self._changed.notify_all()


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    cluster = MockCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def broker(cluster: MockCluster) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def number(record: KeptRecord) -> int:
    return int(record.value or b"")


@contextmanager
def following(kafka: KafkaSettings, heard: Heard) -> Iterator[TopicFollower[int]]:
    with TopicFollower(kafka, TOPIC, number, [heard.listen], heard.reports()) as follower:
        yield follower


def publish(kafka: KafkaSettings, *values: bytes) -> None:
    publisher = Publisher(kafka, "test-follower")
    for value in values:
        publisher.publish(TOPIC, b"key", value)
    assert publisher.close() == 0


def test_it_hears_what_comes_after_it_began_and_nothing_older(
    cluster: MockCluster, broker: KafkaSettings, heard: Heard
) -> None:
    cluster.create_topic(TOPIC, 3)
    publish(broker, b"1")
    with following(broker, heard) as follower:
        assert follower.wait_until_following(WAIT_SECONDS)
        publish(broker, b"2", b"3")
        heard.wait(lambda: len(heard.numbers) >= 2)
    assert heard.numbers == [2, 3]
    assert heard.connected == [True, False]


def test_a_topic_that_is_made_later_is_followed_from_then_on(
    cluster: MockCluster, broker: KafkaSettings, heard: Heard
) -> None:
    with following(broker, heard) as follower:
        heard.wait(lambda: FollowingFailure.BROKER in heard.failures)
        assert not follower.wait_until_following(0)
        cluster.create_topic(TOPIC, 1)
        assert follower.wait_until_following(WAIT_SECONDS)
        publish(broker, b"4")
        heard.wait(lambda: heard.numbers == [4])


def test_a_record_that_cannot_be_read_is_counted_and_left_out(
    cluster: MockCluster, broker: KafkaSettings, heard: Heard
) -> None:
    cluster.create_topic(TOPIC, 1)
    with following(broker, heard) as follower:
        assert follower.wait_until_following(WAIT_SECONDS)
        publish(broker, b"five", b"6")
        heard.wait(lambda: heard.numbers == [6])
    assert heard.failures == [FollowingFailure.UNREADABLE]


def test_a_listener_that_raises_hurts_no_other(cluster: MockCluster, broker: KafkaSettings, heard: Heard) -> None:
    cluster.create_topic(TOPIC, 1)

    def broken(numbers: Sequence[int]) -> None:
        raise RuntimeError(numbers)

    with TopicFollower(broker, TOPIC, number, [broken, heard.listen], heard.reports()) as follower:
        assert follower.wait_until_following(WAIT_SECONDS)
        publish(broker, b"7")
        heard.wait(lambda: heard.numbers == [7])
        publish(broker, b"8")
        heard.wait(lambda: heard.numbers == [7, 8])
    assert heard.failures == [FollowingFailure.LISTENER] * 2


def test_without_a_broker_it_tries_again_and_ends_when_told(heard: Heard) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unheard.getsockname()[1]}")
        started = time.monotonic()
        with following(nowhere, heard):
            heard.wait(lambda: heard.failures.count(FollowingFailure.BROKER) >= 2)
        assert time.monotonic() - started < WAIT_SECONDS
    assert set(heard.connected) == {False}


def test_after_an_outage_it_goes_on_where_it_was(cluster: MockCluster, broker: KafkaSettings, heard: Heard) -> None:
    cluster.create_topic(TOPIC, 1)
    with following(broker, heard):
        heard.wait(lambda: heard.connected == [True])
        cluster.set_down()
        heard.wait(lambda: FollowingFailure.BROKER in heard.failures)
        cluster.set_up()
        publish(broker, b"9")
        heard.wait(lambda: heard.numbers == [9])
    assert heard.connected == [True, False, True, False]


def test_a_look_at_the_topic_loses_no_record(
    cluster: MockCluster, broker: KafkaSettings, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_LOOK_SECONDS", 0.0)
    cluster.create_topic(TOPIC, 1)
    with following(broker, heard) as followed:
        assert followed.wait_until_following(WAIT_SECONDS)
        publisher = Publisher(broker, "test-follower")
        for value in range(MANY):
            publisher.publish_and_wait([Message(TOPIC, b"key", b"%d" % value)], WAIT_SECONDS)
        assert publisher.close() == 0
        heard.wait(lambda: heard.numbers[-1:] == [MANY - 1])
    assert heard.numbers == list(range(MANY))


def test_a_topic_that_may_not_be_read_is_complained_of_once(
    cluster: MockCluster,
    broker: KafkaSettings,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(follower, "_PAUSE_SECONDS", (0.01,))
    cluster.create_topic(TOPIC, 1)
    publisher = Publisher(broker, "test-follower")
    with following(broker, heard):
        heard.wait(lambda: heard.connected == [True])
        publisher.publish_and_wait([Message(TOPIC, b"key", b"1")], WAIT_SECONDS)
        heard.wait(lambda: heard.numbers == [1])
        cluster.refuse_next(_FETCH, [KafkaError.TOPIC_AUTHORIZATION_FAILED] * MANY)
        publisher.publish_and_wait([Message(TOPIC, b"key", b"2")], WAIT_SECONDS)
        heard.wait(lambda: len(heard.failures) == 3)
    assert publisher.close() == 0
    assert heard.connected.count(True) == 1
    assert len([line for line in caplog.messages if "cannot be followed" in line]) == 1


def test_a_partition_whose_place_in_time_is_not_told_is_not_begun_at_its_end(broker: KafkaSettings) -> None:
    class Asked:
        """A consumer to which the broker tells the ends, and of one partition alone the place."""

        def get_watermark_offsets(self, place: TopicPartition, timeout: float) -> tuple[int, int]:
            return 0, 7

        def offsets_for_times(self, places: list[TopicPartition], timeout: float) -> list[SimpleNamespace]:
            error = KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION, "Not leader")
            return [
                SimpleNamespace(partition=0, offset=3, error=None),
                SimpleNamespace(partition=1, offset=-1, error=error),
            ]

    with pytest.raises(BrokerError, match="Not leader"):
        FollowedPartitions(broker, TOPIC).first_offsets(Asked(), 2, since=1.0)
