"""What of a file is on the topic, read back from librdkafka's mock cluster."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from topics.admin import BrokerError
from topics.catalogue import CATALOG_PRODUCTS
from topics.catalogue_verification import Verified, verify_on_topic
from topics.embedded_broker import MockCluster
from topics.publisher import Message, Publisher
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord, Snapshot

BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)
VERSION = 5_000_000
SENT = {
    "same": {"updated_at": 5_000},
    "newer": {"updated_at": 6_000},
    "older": {"updated_at": 4_000},
    "gone": None,
}


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    cluster = MockCluster()
    cluster.create_topic(CATALOG_PRODUCTS, 3)
    kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    publisher = Publisher(kafka, "test")
    publisher.publish_and_wait([message(name, fields) for name, fields in SENT.items()], 10)
    publisher.close()
    yield kafka
    cluster.close()


def message(name: str, fields: dict[str, int] | None) -> Message:
    product = None if fields is None else json.dumps({"id": name, "title": "Dress", **fields}).encode()
    return Message(CATALOG_PRODUCTS, name.encode(), product)


@pytest.mark.parametrize(
    ("begun_at", "missing"),
    [(BEFORE, ("older", "absent")), (LATER, ("older", "gone", "absent"))],
    ids=["deleted since", "deleted before the import"],
)
def test_what_the_topic_lacks_is_missing(kafka: KafkaSettings, begun_at: datetime, missing: tuple[str, ...]) -> None:
    wanted = dict.fromkeys((*SENT, "absent"), VERSION)
    told: list[int] = []

    verified = verify_on_topic(kafka, wanted, begun_at, told.append)

    assert verified == Verified(len(wanted) - len(missing), missing)
    assert told[-1] == len(missing)


def test_nothing_more_is_read_when_it_is_enough(kafka: KafkaSettings) -> None:
    found: list[KeptRecord] = []

    extent = Snapshot(kafka, [CATALOG_PRODUCTS]).read(found.append, lambda _: None, enough=lambda: len(found) == 2)

    assert (extent.read, extent.total, len(found)) == (2, len(SENT), 2)


def test_a_topic_that_is_not_there_is_told(kafka: KafkaSettings) -> None:
    elsewhere = kafka.model_copy(update={"namespace": "other."})

    with pytest.raises(BrokerError, match=r"has no topic other\.catalog\.products"):
        verify_on_topic(elsewhere, {"same": VERSION}, LATER, lambda _: None)
