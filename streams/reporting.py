"""Tells the world what became of each record: `catalog.indexed`, dead letters, metrics. Only then is the record done."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from monitoring.metrics import Metrics
from streams.work import Rejected, Settled, Work
from topics.catalogue import CATALOG_INDEXED, dead_letter_topic
from topics.publisher import Delivery, Publisher, PublisherOverloaded

_DEAD_LETTER_BYTES = 2_000_000  # leaves room for the headers
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class _Outgoing:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] | None = None


class Reporter:
    """Publishes what became of the records of a Work and calls back once the broker has acknowledged all of it.

    `on_failure` hears of a message that the broker did not take for good; then the callback never comes, nothing is
    committed, and the records are read again after a restart.
    """

    def __init__(
        self,
        publisher: Publisher,
        metrics: Metrics,
        releases: Mapping[str, str],
        on_failure: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._publisher = publisher
        self._metrics = metrics
        self._releases = dict(releases)
        self._on_failure = on_failure
        self._clock = clock

    def report(self, work: Work, done: Callable[[], None]) -> None:
        """Call `done` from any thread, once, when every message is acknowledged."""
        now = self._clock()
        outgoing = [self._indexed(settled, work.received_at, now) for settled in work.settled]
        outgoing += [_dead_letter(rejected) for rejected in work.rejected]
        self._count(work, now)
        pending = _Pending(len(outgoing), done, self._on_failure)
        for message in outgoing:
            self._publish(message, pending)

    def _publish(self, message: _Outgoing, pending: "_Pending") -> None:
        while True:
            try:
                self._publisher.publish(message.topic, message.key, message.value, message.headers, pending.delivered)
                return
            except PublisherOverloaded:
                self._metrics.retries.labels("publish", "queue_full").inc()
                self._publisher.flush(1.0)

    def _indexed(self, settled: Settled, received_at: float, now: float) -> _Outgoing:
        event = {
            "product_id": settled.product_id,
            "version": settled.version,
            "outcome": settled.outcome,
            "releases": self._releases,
            "problems": settled.problems,
            "event_at": settled.record.timestamp / _MILLISECONDS,
            "received_at": received_at,
            "encoded_at": settled.encoded_at,
            "searchable_at": settled.searchable_at or now,
        }
        return _Outgoing(CATALOG_INDEXED, settled.product_id.encode(), orjson.dumps(event))

    def _count(self, work: Work, now: float) -> None:
        for settled in work.settled:
            self._metrics.events.labels(settled.record.topic, settled.outcome).inc()
            if settled.outcome != "stale":
                age = settled.searchable_at - settled.record.timestamp / _MILLISECONDS
                self._metrics.freshness_seconds.labels(settled.outcome).observe(max(0.0, age))
        for rejected in work.rejected:
            self._metrics.events.labels(rejected.record.topic, "rejected").inc()
            self._metrics.dead_letters.labels(rejected.record.topic, rejected.invalid.reason).inc()
        self._metrics.last_progress_timestamp_seconds.set(now)


class _Pending:
    """Counts acknowledgements, which come on the publisher's thread or on one that flushes."""

    def __init__(self, messages: int, done: Callable[[], None], on_failure: Callable[[str], None]) -> None:
        self._left = messages
        self._done = done
        self._on_failure = on_failure
        self._lock = threading.Lock()
        if not messages:
            done()

    def delivered(self, delivery: Delivery) -> None:
        if delivery.error:
            self._on_failure(f"{delivery.topic}: {delivery.error}")
            return
        with self._lock:
            self._left -= 1
            finished = self._left == 0
        if finished:
            self._done()


def _dead_letter(rejected: Rejected) -> _Outgoing:
    record, invalid = rejected.record, rejected.invalid
    headers = {
        "reason": invalid.reason.encode(),
        "detail": invalid.detail.encode("utf-8", "replace")[:1_000],
        "source_topic": record.topic.encode(),
        "source_partition": b"%d" % record.partition,
        "source_offset": b"%d" % record.offset,
        "source_timestamp_ms": b"%d" % record.timestamp,
    }
    raw = record.value
    if raw is not None and len(raw) > _DEAD_LETTER_BYTES:
        headers["truncated_from_bytes"] = b"%d" % len(raw)
        raw = raw[:_DEAD_LETTER_BYTES]
    return _Outgoing(dead_letter_topic(record.topic), record.key, raw, headers)
