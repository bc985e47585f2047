"""The table of topics against a broker."""

import pytest

from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, TOPICS
from topics.embedded_broker import EmbeddedBroker
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services


def test_topics_that_are_there_are_present_with_their_partitions(broker: EmbeddedBroker) -> None:
    admin = TopicAdmin(KafkaSettings(bootstrap_servers=broker.bootstrap_servers))

    reports = admin.inspect(TOPICS)

    assert [(report.name, report.state, report.partitions) for report in reports] == [
        (spec.name, "present", 4) for spec in TOPICS
    ]


def test_applying_the_table_again_creates_nothing(broker: EmbeddedBroker) -> None:
    admin = TopicAdmin(KafkaSettings(bootstrap_servers=broker.bootstrap_servers))

    assert {report.state for report in admin.apply(TOPICS)} == {"present"}


def test_a_missing_topic_is_named() -> None:
    with EmbeddedBroker(2, [CATALOG_PRODUCTS]) as broker:
        reports = TopicAdmin(KafkaSettings(bootstrap_servers=broker.bootstrap_servers)).inspect(TOPICS)

    assert [report.name for report in reports if report.state == "missing"] == [spec.name for spec in TOPICS[1:]]


def test_a_broker_that_is_not_there_is_said_in_one_line_with_its_address() -> None:
    admin = TopicAdmin(KafkaSettings(bootstrap_servers="127.0.0.1:1"), timeout_seconds=1)

    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1.*bootstrap_servers"):
        admin.inspect(TOPICS)
