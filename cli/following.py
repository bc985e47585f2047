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

_OVERLAP_SECONDS = 60.0  # by which the broker's clock may be behind ours


def follow_indexed(
    kafka: KafkaSettings,
    metrics: Metrics,
    listeners: Sequence[Listener[ProductIndexed]],
    clock: Callable[[], datetime],
) -> TopicFollower[ProductIndexed]:
    """From a minute ago on, however late the broker is reached; what is older the listeners look up in the index."""
    since = clock().timestamp() - _OVERLAP_SECONDS
    reports = _reports(metrics, CATALOG_INDEXED)
    return TopicFollower(kafka, CATALOG_INDEXED, _indexed, listeners, reports, since)


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
