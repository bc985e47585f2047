"""Following `catalog.indexed` in a process that serves shoppers."""

from collections.abc import Sequence

from monitoring.metrics import Metrics
from topics.catalogue import CATALOG_INDEXED
from topics.events import ProductIndexed
from topics.follower import FollowerReports, Listener, TopicFollower
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord


def follow_indexed(
    kafka: KafkaSettings, metrics: Metrics, listeners: Sequence[Listener[ProductIndexed]]
) -> TopicFollower[ProductIndexed]:
    """From now on; what the listeners must know of the past they look up in the index."""
    return TopicFollower(kafka, CATALOG_INDEXED, _indexed, listeners, _reports(metrics, CATALOG_INDEXED))


def _indexed(record: KeptRecord) -> ProductIndexed:
    return ProductIndexed.model_validate_json(record.value or b"")


def _reports(metrics: Metrics, topic: str) -> FollowerReports:
    failures = metrics.follower_failures
    return FollowerReports(
        on_connected=metrics.followed_topic_connected.labels(topic).set,
        on_behind=metrics.followed_topic_behind.labels(topic).set,
        on_failure=lambda failure: failures.labels(topic, failure).inc(),
    )
