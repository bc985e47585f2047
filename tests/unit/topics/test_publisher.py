"""The publisher against librdkafka's mock broker in this process, and against no broker at all."""

import ctypes
import socket
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition
from pydantic import SecretStr

from topics.embedded_broker import MockCluster
from topics.publisher import (
    MAX_MESSAGE_BYTES,
    Acknowledgements,
    Delivery,
    Message,
    MessageRefused,
    NotAcknowledged,
    Publisher,
    PublisherError,
    PublisherOverloaded,
)
from topics.settings import KafkaSettings

PARTITIONS = 4
WAIT_SECONDS = 10.0
_PRODUCE = 0  # the request, by its number in Kafka's protocol


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    cluster = MockCluster()
    cluster.create_topic("numbers", PARTITIONS)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def broker(cluster: MockCluster) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)


@pytest.fixture
def publisher(broker: KafkaSettings) -> Iterator[Publisher]:
    publisher = Publisher(broker, "test-publisher")
    yield publisher
    publisher.close()


@pytest.fixture
def nowhere() -> Iterator[KafkaSettings]:
    """An address where nothing listens: the port stays bound, so that nobody else takes it."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield KafkaSettings(bootstrap_servers=f"127.0.0.1:{unheard.getsockname()[1]}")


def read(
    broker: KafkaSettings, delivery: Delivery
) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes]] | None]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    try:
        consumer.assign([TopicPartition(delivery.topic, delivery.partition, delivery.offset)])
        message = consumer.poll(WAIT_SECONDS)
        assert message is not None
        return message.key(), message.value(), message.headers()
    finally:
        consumer.close()


def test_an_acknowledged_message_is_where_its_delivery_says(broker: KafkaSettings, publisher: Publisher) -> None:
    sent = Message("numbers", b"seven", b"7", {"kind": b"prime"})
    (delivery,) = publisher.publish_and_wait([sent], WAIT_SECONDS)
    assert delivery.error == ""
    assert read(broker, delivery) == (b"seven", b"7", [("kind", b"prime")])


def test_a_tombstone_has_no_value(broker: KafkaSettings, publisher: Publisher) -> None:
    (delivery,) = publisher.publish_and_wait(
        [Message("numbers", b"seven", None, {"updated_at_us": b"5"})], WAIT_SECONDS
    )
    assert read(broker, delivery) == (b"seven", None, [("updated_at_us", b"5")])


def test_deliveries_come_in_the_order_of_their_messages(broker: KafkaSettings, publisher: Publisher) -> None:
    messages = [Message("numbers", b"%d" % number, b"%d" % number) for number in range(200)]
    deliveries = publisher.publish_and_wait(messages, WAIT_SECONDS)
    assert len(deliveries) == 200
    assert read(broker, deliveries[123])[1] == b"123"


def test_keys_go_to_the_partition_that_javas_producer_would_choose(publisher: Publisher) -> None:
    """`Utils.toPositive(Utils.murmur2(key)) % 4`: workers that co-partition with a shop's Java producers rely on it."""
    expected = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}  # Kafka's UtilsTest
    for key, murmur2 in expected.items():
        (delivery,) = publisher.publish_and_wait([Message("numbers", key, b"")], WAIT_SECONDS)
        assert delivery.partition == (murmur2 & 0x7FFFFFFF) % PARTITIONS


def test_the_callback_gets_partition_and_offset(publisher: Publisher) -> None:
    reported = threading.Event()
    deliveries: list[Delivery] = []

    def report(delivery: Delivery) -> None:
        deliveries.append(delivery)
        reported.set()

    publisher.publish("numbers", b"k", b"v", on_delivery=report)
    assert reported.wait(WAIT_SECONDS)
    assert deliveries[0].topic == "numbers"
    assert deliveries[0].offset >= 0


def test_many_threads_publish_at_once(publisher: Publisher) -> None:
    reported = threading.Semaphore(0)

    def publish_many() -> None:
        for number in range(500):
            publisher.publish("numbers", b"%d" % number, b"v", on_delivery=lambda _: reported.release())

    threads = [threading.Thread(target=publish_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(reported.acquire(timeout=WAIT_SECONDS) for _ in range(2000))


def test_a_callback_that_raises_does_not_stop_later_reports(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Delivery) -> None:
        raise RuntimeError("a bug of the caller")

    publisher.publish("numbers", b"k", b"v", on_delivery=broken)
    assert len(publisher.publish_and_wait([Message("numbers", b"k", b"v")], WAIT_SECONDS)) == 1
    assert "a bug of the caller" in caplog.text


def test_a_message_that_no_topic_takes_is_refused_at_once(publisher: Publisher) -> None:
    with pytest.raises(MessageRefused, match="numbers"):
        publisher.publish("numbers", b"k", bytes(MAX_MESSAGE_BYTES + 1))


def test_a_topic_that_may_not_be_written_is_no_fault_of_the_message(cluster: MockCluster, publisher: Publisher) -> None:
    cluster.create_topic("closed", 1)
    forbid = cluster._library.rd_kafka_mock_topic_set_error
    forbid(ctypes.c_void_p(cluster._cluster), b"closed", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(NotAcknowledged):  # the first waits for what the broker says of the topic
        publisher.publish_and_wait([Message("closed", b"k", b"v")], WAIT_SECONDS)

    with pytest.raises(PublisherError, match=r"closed: .* have the cluster's administrator grant it") as error:
        publisher.publish("closed", b"k", b"v")

    assert not isinstance(error.value, MessageRefused)


@pytest.mark.parametrize(
    ("code", "refused"), [(KafkaError.MSG_SIZE_TOO_LARGE, True), (KafkaError.TOPIC_AUTHORIZATION_FAILED, False)]
)
def test_a_delivery_says_whether_it_was_the_message_that_was_wrong(
    cluster: MockCluster, publisher: Publisher, code: int, refused: bool
) -> None:
    cluster.refuse_next(_PRODUCE, [code])
    deliveries: list[Delivery] = []

    publisher.publish("numbers", b"k", b"v", on_delivery=deliveries.append)

    assert publisher.flush(WAIT_SECONDS) == 0
    assert [delivery.refused for delivery in deliveries] == [refused]
    assert deliveries[0].error


def test_without_a_broker_the_wait_ends_with_the_cause(nowhere: KafkaSettings) -> None:
    publisher = Publisher(nowhere, "lonely")
    try:
        with pytest.raises(NotAcknowledged, match=r"1 of 1 messages were not acknowledged within 1 s: .*refused"):
            publisher.publish_and_wait([Message("numbers", b"k", b"v")], 1.0)
        with pytest.raises(PublisherError, match="refused"):
            publisher.ping(0.2)
        assert "refused" in publisher.last_error
    finally:
        assert publisher.close(timeout_seconds=0) == 1


def test_a_message_that_times_out_is_reported_with_the_cause(nowhere: KafkaSettings) -> None:
    lost: list[Delivery] = []
    reported = threading.Event()

    def failed(delivery: Delivery) -> None:
        lost.append(delivery)
        reported.set()

    publisher = Publisher(nowhere, "lonely", delivery_timeout_seconds=0.5, on_failure=failed)
    try:
        publisher.publish("numbers", b"k", b"v")
        assert reported.wait(WAIT_SECONDS)
        assert lost[0].topic == "numbers"
        assert lost[0].offset == -1
        assert "timed out" in lost[0].error.lower()
        assert "refused" in lost[0].error
    finally:
        publisher.close(timeout_seconds=0)


def test_a_failed_login_is_the_cause_and_not_that_no_broker_is_up(broker: KafkaSettings) -> None:
    """librdkafka says `1/1 brokers are down` right after the first failure, and the cause again 40 ms later."""
    login = {"security_protocol": "SASL_PLAINTEXT", "sasl_username": "shop", "sasl_password": SecretStr("wrong")}
    publisher = Publisher(broker.model_copy(update=login), "stranger")
    try:
        first = next((cause for cause in _causes(publisher, WAIT_SECONDS) if cause), "")
        later = set(_causes(publisher, 0.2))
    finally:
        publisher.close(timeout_seconds=0)
    assert "SASL" in first
    assert all("SASL" in cause for cause in later)


def _causes(publisher: Publisher, seconds: float) -> Iterator[str]:
    """The publisher's last error again and again."""
    end = monotonic() + seconds
    while monotonic() < end:
        yield publisher.last_error
        sleep(0.005)


def test_a_full_queue_says_so_instead_of_waiting(nowhere: KafkaSettings) -> None:
    publisher = Publisher(nowhere, "lonely")
    try:
        for _ in range(100_000):  # what librdkafka's queue takes
            publisher.publish("numbers", b"k", b"v")
        with pytest.raises(PublisherOverloaded, match="send the same again later"):
            publisher.publish("numbers", b"k", b"v")
    finally:
        publisher.close(timeout_seconds=0)


def test_a_wrong_ca_file_is_told_at_once(broker: KafkaSettings) -> None:
    settings = broker.model_copy(update={"security_protocol": "SSL", "ca_file": "/nowhere/ca.pem"})
    with pytest.raises(PublisherError, match=r"/nowhere/ca\.pem"):
        Publisher(settings, "untrusted")


def test_closing_twice_does_nothing(broker: KafkaSettings) -> None:
    publisher = Publisher(broker, "short-lived")
    publisher.publish("numbers", b"k", b"v")
    assert publisher.close() == 0
    assert publisher.close() == 0


def test_many_messages_go_where_one_by_one_they_would(publisher: Publisher) -> None:
    acknowledged = threading.Event()
    alone = Message("numbers", b"21", b"")
    (before,) = publisher.publish_and_wait([alone], WAIT_SECONDS)
    pending = Acknowledgements(3, acknowledged.set, pytest.fail)
    assert not publisher.publish_many("numbers", [(b"21", b"a"), (b"21", b"b"), (b"21", b"c")], pending)
    assert acknowledged.wait(WAIT_SECONDS)
    (after,) = publisher.publish_and_wait([alone], WAIT_SECONDS)
    assert (after.partition, after.offset) == (before.partition, before.offset + 4)


def test_many_messages_that_the_queue_does_not_take_are_given_back(nowhere: KafkaSettings) -> None:
    publisher = Publisher(nowhere, "lonely")
    pending = Acknowledgements(1_000_000, lambda: None, lambda _: None)
    messages = [(b"%d" % number, b"v") for number in range(100_003)]
    try:
        assert publisher.publish_many("numbers", messages, pending) == messages[-3:]
    finally:
        publisher.close(timeout_seconds=0)


def test_one_of_many_that_is_too_large_is_refused(publisher: Publisher) -> None:
    pending = Acknowledgements(2, lambda: None, lambda _: None)
    with pytest.raises(MessageRefused, match="numbers"):
        publisher.publish_many("numbers", [(b"k", b"v"), (b"k", bytes(MAX_MESSAGE_BYTES + 1))], pending)
