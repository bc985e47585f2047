"""Tells the world what became of each record:

`catalog.indexed`, dead letters, metrics. Only then is the record done.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import orjson

from monitoring.metrics import Metrics
from streams.work import Rejected, Settled, Work
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.dead_letters import DeadLetter, Source, header_pairs, refused
from topics.publisher import Acknowledgements, Headers, Publisher, PublisherOverloaded

_MILLISECONDS = 1000


class Reporter:
    """Publishes what became of the records of a Work and calls back once the broker has acknowledged all of it.

    With a `backfill_alias` it says so of each, since nothing became searchable for shoppers yet.
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
        backfill_alias: str = "",
    ) -> None:
        self._publisher = publisher
        self._metrics = metrics
        self._releases = dict(releases)
        self._on_failure = on_failure
        self._clock = clock
        self._backfill_alias = backfill_alias
        self._where = {"index": backfill_alias} if backfill_alias else {}
        self.reported = 0  # records of which something became

    def report(self, work: Work, done: Callable[[], None]) -> None:
        """Call `done` from any thread, once, when every message is acknowledged."""
        now = self._clock()
        self._count(work, now)
        self.reported += len(work.settled) + len(work.rejected)
        pending = Acknowledgements(len(work.settled) + len(work.rejected), done, self._on_failure)
        outcomes: Sequence[tuple[bytes, bytes]] = [
            (settled.product_id.encode(), self._indexed(settled, work.received_at, now)) for settled in work.settled
        ]
        while outcomes := self._publisher.publish_many(CATALOG_INDEXED, outcomes, pending):
            self._wait_for_room()
        for rejected in work.rejected:
            letter = _dead_letter(rejected)
            topic = dead_letter_topic(CATALOG_PRODUCTS)
            self._publish(pending, topic, letter.key, letter.value, header_pairs(letter))

    def _publish(
        self,
        pending: Acknowledgements,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
    ) -> None:
        while True:
            try:
                self._publisher.publish(topic, key, value, headers, pending)
                return
            except PublisherOverloaded:
                self._wait_for_room()

    def _wait_for_room(self) -> None:
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
                **self._where,
            }
        )

    def _count(self, work: Work, now: float) -> None:
        ages: defaultdict[str, list[float]] = defaultdict(list)
        for settled in work.settled:
            ages[settled.outcome].append(settled.searchable_at - settled.record.timestamp / _MILLISECONDS)
        for outcome, seconds in ages.items():
            self._metrics.events.labels(CATALOG_PRODUCTS, outcome).inc(len(seconds))
            if outcome != "stale" and not self._backfill_alias:  # old events: their age says nothing of freshness
                self._metrics.freshness_seconds.observe(outcome, seconds)
        for rejected in work.rejected:
            self._metrics.events.labels(CATALOG_PRODUCTS, "rejected").inc()
            self._metrics.dead_letters.labels(CATALOG_PRODUCTS, rejected.invalid.reason).inc()
        self._metrics.last_progress_timestamp_seconds.set(now)


def _dead_letter(rejected: Rejected) -> DeadLetter:
    record = rejected.record
    source = Source(CATALOG_PRODUCTS, record.partition, record.offset, record.timestamp)
    return refused(source, record.key, record.value, record.headers or (), rejected.invalid)
