"""How far a group is behind, against librdkafka's mock broker in this process."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from monitoring.lag import GroupLag, LagUnavailable, PartitionLag
from topics.embedded_broker import MockCluster

TOPIC = "numbers"
GROUP = "readers"


@pytest.fixture
def servers() -> Iterator[str]:
    cluster = MockCluster()
    cluster.create_topic(TOPIC, 3)
    yield cluster.bootstrap_servers
    cluster.close()


@pytest.fixture
def lag(servers: str) -> Iterator[GroupLag]:
    with GroupLag({"bootstrap.servers": servers}, GROUP, TOPIC) as lag:
        yield lag


def produce(servers: str, partition: int, count: int) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for number in range(count):
        producer.produce(TOPIC, b"%d" % number, partition=partition)
    assert producer.flush(10) == 0


def commit(servers: str, partition: int, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": GROUP})
    consumer.commit(offsets=[TopicPartition(TOPIC, partition, offset)], asynchronous=False)
    consumer.close()


def test_an_empty_topic_has_no_lag(lag: GroupLag) -> None:
    assert lag.read() == dict.fromkeys(range(3), PartitionLag(0, None, 0))
    assert lag.committed() == {}
    assert lag.events() == 0


def test_what_was_never_committed_counts_whole(servers: str, lag: GroupLag) -> None:
    produce(servers, 0, 5)
    produce(servers, 2, 2)

    assert {partition: one.events for partition, one in lag.read().items()} == {0: 5, 1: 0, 2: 2}
    assert lag.events() == 7


def test_a_commit_takes_its_events_out(servers: str, lag: GroupLag) -> None:
    produce(servers, 0, 5)
    produce(servers, 1, 4)
    commit(servers, 0, 3)

    assert lag.committed() == {0: 3}
    assert lag.read()[0] == PartitionLag(0, 3, 5)
    assert lag.events() == 6


def test_records_wait_until_they_are_committed(servers: str, lag: GroupLag) -> None:
    assert not lag.records_wait({0, 1, 2})
    produce(servers, 1, 2)
    assert lag.records_wait({0, 1, 2})
    assert lag.records_wait({1})
    commit(servers, 1, 1)
    assert lag.records_wait({1})
    commit(servers, 1, 2)
    assert not lag.records_wait({1})
    assert not lag.records_wait({0, 1, 2})


def test_records_in_partitions_of_others_do_not_count(servers: str, lag: GroupLag) -> None:
    produce(servers, 1, 2)

    assert not lag.records_wait({0, 2})
    assert not lag.records_wait(())


def test_asking_does_not_move_the_group(servers: str, lag: GroupLag) -> None:
    produce(servers, 0, 3)

    assert [lag.records_wait({0}) for _ in range(3)] == [True] * 3
    assert lag.committed() == {}


@pytest.mark.parametrize(
    ("lag", "events"),
    [
        (PartitionLag(0, None, 10), 10),
        (PartitionLag(0, 4, 10), 6),
        (PartitionLag(7, 4, 10), 3),  # what retention took away waits no more
        (PartitionLag(7, None, 10), 3),
        (PartitionLag(0, 10, 10), 0),
        (PartitionLag(0, 12, 10), 0),  # a topic that was made anew
    ],
)
def test_lag_counts_what_is_kept_and_not_committed(lag: PartitionLag, events: int) -> None:
    assert lag.events == events


def test_a_broker_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.lag.TIMEOUT_SECONDS", 0.2)
    with GroupLag({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}, GROUP, TOPIC) as lag:
        for ask in (lag.committed, lag.read, lag.events, lambda: lag.records_wait({0})):
            with pytest.raises(LagUnavailable, match="offsets") as told:
                ask()
            assert told.value.reason == "_TRANSPORT"


def test_requests_that_end_the_process_are_made_nowhere() -> None:
    """librdkafka #5040, and an assertion that fails when the broker goes away meanwhile."""
    root = Path(__file__).parents[3]
    packages = [path for path in root.iterdir() if (path / "__init__.py").exists()]
    calls = re.compile(r"\.(list_consumer_group_offsets|describe_consumer_groups)\(")

    sources = [file for package in packages for file in package.rglob("*.py")]

    assert len(sources) > 50
    assert [file for file in sources if calls.search(file.read_text())] == []
