"""The lag of groups on a real Kafka: exact in events, right in seconds, whatever a partition holds."""

import re
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from cli.doctor import Finding, examine
from cli.lag_exporter import selection
from cli.settings import Settings, changed_settings
from monitoring.cluster_lag import ClusterLag, GroupPartition, GroupReading, Selection
from monitoring.lag import GroupLag
from tests.services.shop import wait_until
from topics.catalogue import (
    CATALOG_INDEXED,
    CATALOG_PRODUCTS,
    CLICK_LOOP_GROUP,
    INDEX_PRODUCTS_GROUP,
    index_products_group,
)
from topics.clients import client_config
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

PATIENCE = 30.0
CLOCK_SECONDS = 0.001  # a broker's timestamps are whole milliseconds


@pytest.fixture
def topic(kafka: KafkaSettings) -> str:
    return kafka.on_broker(CATALOG_PRODUCTS)


@pytest.fixture
def lag(kafka: KafkaSettings) -> Iterator[ClusterLag]:
    ours = re.compile(f"^{re.escape(kafka.namespace)}")
    known = selection(Settings(kafka=kafka)).known
    with ClusterLag(client_config(kafka), Selection(known, ours, ours)) as lag:
        yield lag


def read(lag: ClusterLag) -> dict[str, GroupReading]:
    reading = lag.read(PATIENCE)
    assert reading.failures == {}
    return {group.group: group for group in reading.groups}


def produce(kafka: KafkaSettings, topic: str, partition: int, count: int = 1) -> None:
    producer = Producer(client_config(kafka))
    for number in range(count):
        producer.produce(topic, b"%d" % number, key=b"%d" % number, partition=partition)
    assert producer.flush(PATIENCE) == 0


def produce_in_transaction(kafka: KafkaSettings, topic: str, partition: int, *, commit: bool) -> None:
    producer = Producer({**client_config(kafka), "transactional.id": f"{topic} {partition}"})
    producer.init_transactions(PATIENCE)
    producer.begin_transaction()
    producer.produce(topic, b"x", key=b"x", partition=partition)
    assert producer.flush(PATIENCE) == 0
    producer.commit_transaction(PATIENCE) if commit else producer.abort_transaction(PATIENCE)


def create_with_a_record_in_each_of_100_partitions(kafka: KafkaSettings, admin: AdminClient, topic: str) -> None:
    """A broker makes one log after another, about a hundred a second, and refuses records until the log is there: with
    a thousand at once the retries of the producer take the time that the broker needs.
    """
    admin.create_topics([NewTopic(topic, 100, 1)])[topic].result(PATIENCE)
    producer = Producer(client_config(kafka))
    for partition in range(100):
        producer.produce(topic, b"x", partition=partition)
    assert producer.flush(PATIENCE) == 0


def commit(kafka: KafkaSettings, group: str, topic: str, partition: int, offset: int) -> None:
    consumer = Consumer({**client_config(kafka), "group.id": group, "enable.auto.commit": False})
    wait_until(lambda: committed(consumer, TopicPartition(topic, partition, offset)))
    consumer.close()


def committed(consumer: Consumer, place: TopicPartition) -> bool:
    [found] = consumer.commit(offsets=[place], asynchronous=False)
    return found.error is None


def events(group: GroupReading, topic: str) -> dict[int, int]:
    return {partition: one.events for (name, partition), one in group.partitions.items() if name == topic}


def test_a_worker_that_never_committed_has_a_lag(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    produce(kafka, topic, 0, 5)
    produce(kafka, topic, 2, 2)

    groups = read(lag)

    ours = groups[kafka.on_broker(INDEX_PRODUCTS_GROUP)]
    assert set(groups) == {ours.group, kafka.on_broker(CLICK_LOOP_GROUP)}
    assert events(ours, topic) == {0: 5, 1: 0, 2: 2, 3: 0}
    assert [one.committed for one in ours.partitions.values()] == [None] * 4


def test_lag_is_exact_before_and_after_a_commit(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    group = kafka.on_broker("readers")
    produce(kafka, topic, 0, 5)
    produce(kafka, topic, 1, 4)
    commit(kafka, group, topic, 0, 3)

    before = read(lag)[group].partitions
    commit(kafka, group, topic, 0, 5)
    after = read(lag)[group].partitions

    assert (before[topic, 0].committed, before[topic, 0].lag, before[topic, 0].caught_up) == (3, 2, False)
    assert after[topic, 0] == GroupPartition(5, 0, True, 0.0)
    assert before[topic, 1] == GroupPartition(None, None, None, None)  # would it begin at the start or at the end?


def test_each_group_has_its_own_lag_in_each_of_its_topics(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    one, other, second = kafka.on_broker("one"), kafka.on_broker("other"), kafka.on_broker(CATALOG_INDEXED)
    produce(kafka, topic, 0, 5)
    produce(kafka, second, 1, 3)
    commit(kafka, one, topic, 0, 1)
    commit(kafka, other, topic, 0, 2)
    commit(kafka, other, second, 1, 3)

    groups = read(lag)

    assert events(groups[one], topic)[0] == 4
    assert events(groups[one], second) == {}
    assert events(groups[other], topic)[0] == 3
    assert events(groups[other], second)[1] == 0
    assert groups[one].members == groups[other].members == 0


def test_a_backfill_of_workers_is_known_to_begin_at_the_first_event(
    lag: ClusterLag, kafka: KafkaSettings, topic: str
) -> None:
    group = kafka.on_broker(index_products_group("products_next"))
    produce(kafka, topic, 0, 2)
    produce(kafka, topic, 1, 3)
    commit(kafka, group, topic, 0, 1)

    assert events(read(lag)[group], topic) == {0: 1, 1: 3, 2: 0, 3: 0}


def test_the_marker_of_a_transaction_is_no_event_that_waits(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    group = kafka.on_broker("readers")
    produce_in_transaction(kafka, topic, 0, commit=True)
    produce_in_transaction(kafka, topic, 1, commit=False)
    commit(kafka, group, topic, 0, 1)
    commit(kafka, group, topic, 1, 0)
    with GroupLag(client_config(kafka), group, topic) as of_group:
        partitions = read(lag)[group].partitions
        assert partitions[topic, 0] == GroupPartition(1, 1, True, 0.0)  # the lag is what kafka_exporter says
        assert partitions[topic, 1] == GroupPartition(0, 2, True, 0.0)  # an aborted record is never read
        assert not of_group.records_wait({0, 1})
        assert of_group.events() == 3

        produce(kafka, topic, 0, 1)

        partition = read(lag)[group].partitions[topic, 0]
        assert (partition.events, partition.caught_up) == (2, False)
        assert of_group.records_wait({0, 1})


def test_markers_are_told_without_a_wait(kafka: KafkaSettings, topic: str) -> None:
    produce_in_transaction(kafka, topic, 0, commit=True)
    commit(kafka, "readers", topic, 0, 1)
    with GroupLag(client_config(kafka), "readers", topic) as lag:
        started = time.monotonic()
        assert not lag.records_wait({0})

    assert time.monotonic() - started < 2


def test_what_was_deleted_before_it_was_read_waits_no_more(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    second, group = kafka.on_broker(CATALOG_INDEXED), kafka.on_broker("readers")  # not compacted
    produce(kafka, second, 0, 10)
    commit(kafka, group, second, 0, 2)
    admin = AdminClient(client_config(kafka))
    for future in admin.delete_records([TopicPartition(second, 0, 7)]).values():
        future.result(PATIENCE)

    partition = read(lag)[group].partitions[second, 0]

    assert (partition.committed, partition.lag, partition.caught_up) == (2, 3, False)


def test_age_is_that_of_the_oldest_record_not_committed(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    group = kafka.on_broker("readers")
    commit(kafka, group, topic, 0, 0)
    sent = []
    for _ in range(2):
        before = time.time()
        produce(kafka, topic, 0)
        sent.append((before, time.time()))
        time.sleep(0.5)  # so that the two ages can be told apart

    for offset, (not_before, not_after) in enumerate(sent):
        commit(kafka, group, topic, 0, offset)
        began = time.time()
        age = read(lag)[group].partitions[topic, 0].age_seconds
        assert age is not None
        assert began - not_after <= age <= time.time() - not_before + CLOCK_SECONDS
    commit(kafka, group, topic, 0, 2)
    assert read(lag)[group].partitions[topic, 0].age_seconds == 0


def test_members_are_counted(lag: ClusterLag, kafka: KafkaSettings, topic: str) -> None:
    group = kafka.on_broker("readers")
    consumer = Consumer({**client_config(kafka), "group.id": group})
    consumer.subscribe([topic])
    wait_until(lambda: consumer.poll(0.1) is None and len(consumer.assignment()) == 4)

    assert read(lag)[group].members == 1

    consumer.close()
    assert read(lag).get(group) is None or read(lag)[group].members == 0


def test_a_thousand_partitions_are_read_in_a_few_requests(kafka: KafkaSettings) -> None:
    """Every partition lags, so each needs a record. A reading stops looking for records after some seconds, so that one
    request for each of them would leave ages out.
    """
    admin = AdminClient(client_config(kafka))
    names = [kafka.on_broker(f"wide.{number}") for number in range(10)]
    try:
        for name in names:
            create_with_a_record_in_each_of_100_partitions(kafka, admin, name)
        ours = re.compile(f"^{re.escape(kafka.namespace)}")
        with ClusterLag(client_config(kafka), Selection({"wide": names}, re.compile("^wide$"), ours)) as lag:
            readings = [read(lag)["wide"].partitions.values() for _ in range(2)]
    finally:
        for future in admin.delete_topics(names).values():
            future.result(PATIENCE)

    for partitions in readings:
        assert len(partitions) == 1_000
        assert None not in [one.age_seconds for one in partitions]


def test_the_doctor_misses_a_worker(kafka: KafkaSettings, topic: str) -> None:
    produce(kafka, topic, 0, 3)

    finding = workers_finding(kafka)

    assert finding.found.startswith("3 product events are not indexed yet, the oldest for ")
    assert finding.found.endswith("; 0 workers")
    assert "start `millrace worker`" in finding.advice


def test_the_doctor_is_content_with_a_worker_that_has_all(kafka: KafkaSettings, topic: str) -> None:
    consumer = Consumer({**client_config(kafka), "group.id": kafka.on_broker(INDEX_PRODUCTS_GROUP)})
    consumer.subscribe([topic])
    wait_until(lambda: consumer.poll(0.1) is None and len(consumer.assignment()) == 4)

    finding = workers_finding(kafka)
    consumer.close()

    assert finding == Finding("workers", "0 product events are not indexed yet; 1 worker")


def workers_finding(kafka: KafkaSettings) -> Finding:
    changes = {"encoders": {"text": {"model": "hash"}, "image": {"model": "hash"}}, "index": {"kind": "memory"}}
    settings = changed_settings(Settings(kafka=kafka), changes)
    [finding] = [finding for finding in examine(settings) if finding.check == "workers"]
    return finding
