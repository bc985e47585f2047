"""What a process that serves shoppers hears of what happens elsewhere."""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitoring.metrics import Metrics
from ranking.trending import Trending
from topics.behavior import BehaviorEvent
from topics.catalogue import BEHAVIOR_EVENTS, CATALOG_INDEXED
from topics.events import ProductIndexed
from topics.follower import FollowerReports, Listener, TopicFollower
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord


def follow_indexed(
    kafka: KafkaSettings, metrics: Metrics, listeners: Sequence[Listener[ProductIndexed]]
) -> TopicFollower[ProductIndexed]:
    """From now on; what the listeners must know of the past they look up in the index."""
    return TopicFollower(kafka, CATALOG_INDEXED, _indexed, listeners, _reports(metrics, CATALOG_INDEXED))


def follow_behavior(
    kafka: KafkaSettings, metrics: Metrics, trending: Trending, clock: Callable[[], datetime]
) -> TopicFollower[BehaviorEvent]:
    """Beginning with the events that have not faded yet."""

    def hear(events: Sequence[BehaviorEvent]) -> None:
        now = clock()
        for event in events:
            metrics.trending_events.labels(trending.count(event, now)).inc()

    since = clock().timestamp() - trending.horizon_seconds
    reports = _reports(metrics, BEHAVIOR_EVENTS)
    return TopicFollower(kafka, BEHAVIOR_EVENTS, _behavior, [hear], reports, since)


def _behavior(record: KeptRecord) -> BehaviorEvent:
    return BehaviorEvent.model_validate_json(record.value or b"")


def _indexed(record: KeptRecord) -> ProductIndexed:
    return ProductIndexed.model_validate_json(record.value or b"")


def _reports(metrics: Metrics, topic: str) -> FollowerReports:
    failures = metrics.follower_failures
    return FollowerReports(
        on_connected=metrics.followed_topic_connected.labels(topic).set,
        on_behind=metrics.followed_topic_behind.labels(topic).set,
        on_failure=lambda failure: failures.labels(topic, failure).inc(),
    )
