"""Tells the world what became of each record:

`catalog.indexed`, dead letters, metrics. Only then is the record done.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import orjson

from monitoring.metrics import Metrics
from streams.work import Rejected, Settled, Work
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.publisher import Acknowledgements, Publisher, PublisherOverloaded

_DEAD_LETTER_BYTES = 2_000_000  # leaves room for the headers and the key
_DEAD_LETTER_KEY_BYTES = 10_000
_MILLISECONDS = 1000


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
        self._count(work, now)
        pending = Acknowledgements(len(work.settled) + len(work.rejected), done, self._on_failure)
        for settled in work.settled:
            event = self._indexed(settled, work.received_at, now)
            self._publish(pending, CATALOG_INDEXED, settled.product_id.encode(), event)
        for rejected in work.rejected:
            record = rejected.record
            key, value, headers = _dead_letter(rejected)
            self._publish(pending, dead_letter_topic(record.topic), key, value, headers)

    def _publish(
        self,
        pending: Acknowledgements,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
    ) -> None:
        while True:
            try:
                self._publisher.publish(topic, key, value, headers, pending)
                return
            except PublisherOverloaded:
                self._metrics.retries.labels("publish", "queue_full").inc()
                self._publisher.flush(1.0)

    def _indexed(self, settled: Settled, received_at: float, now: float) -> bytes:
        return orjson.dumps(
            {
                "product_id": settled.product_id,
                "version": settled.version,
                "outcome": settled.outcome,
                "releases": self._releases,
                "problems": [settled.problem] if settled.problem else [],
                "event_at": settled.record.timestamp / _MILLISECONDS,
                "received_at": received_at,
                "encoded_at": settled.encoded_at,
                "searchable_at": settled.searchable_at or now,
            }
        )

    def _count(self, work: Work, now: float) -> None:
        ages: defaultdict[str, list[float]] = defaultdict(list)
        for settled in work.settled:
            ages[settled.outcome].append(settled.searchable_at - settled.record.timestamp / _MILLISECONDS)
        for outcome, seconds in ages.items():
            self._metrics.events.labels(CATALOG_PRODUCTS, outcome).inc(len(seconds))
            if outcome != "stale":
                self._metrics.freshness_seconds.observe(outcome, seconds)
        for rejected in work.rejected:
            self._metrics.events.labels(rejected.record.topic, "rejected").inc()
            self._metrics.dead_letters.labels(rejected.record.topic, rejected.invalid.reason).inc()
        self._metrics.last_progress_timestamp_seconds.set(now)


def _dead_letter(rejected: Rejected) -> tuple[bytes | None, bytes | None, dict[str, bytes]]:
    """Key, value and headers; what no topic would take is cut, and the headers say how long it was."""
    record, invalid = rejected.record, rejected.invalid
    headers = {
        "reason": invalid.reason.encode(),
        "detail": invalid.detail.encode("utf-8", "replace")[:1_000],
        "source_topic": record.topic.encode(),
        "source_partition": b"%d" % record.partition,
        "source_offset": b"%d" % record.offset,
        "source_timestamp_ms": b"%d" % record.timestamp,
    }
    key, raw = record.key, record.value
    if raw is not None and len(raw) > _DEAD_LETTER_BYTES:
        headers["truncated_from_bytes"] = b"%d" % len(raw)
        raw = raw[:_DEAD_LETTER_BYTES]
    if key is not None and len(key) > _DEAD_LETTER_KEY_BYTES:
        headers["key_truncated_from_bytes"] = b"%d" % len(key)
        key = key[:_DEAD_LETTER_KEY_BYTES]
    return key, raw, headers
