"""Follows `catalog.indexed`: how many products are searchable, and how long after their event."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Self

import numpy as np
import orjson

from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.reader import ReadRecord, TopicReader
from topics.settings import KafkaSettings

_READ_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds from an event, by the broker's clock, to its product being searchable."""

    p50: float
    p99: float
    events: int


class FollowingFailed(Exception):
    """What is on `catalog.indexed` could not be read; the message says why."""


class IndexingFollower:
    """Reads on a thread of its own. Use as a context manager; every property may be read at any time."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._reader = TopicReader(kafka, [CATALOG_INDEXED, dead_letter_topic(CATALOG_PRODUCTS)])
        self._outcomes: Counter[str] = Counter()
        self._ages: list[float] = []
        self._reasons: Counter[str] = Counter()
        self._problems: Counter[str] = Counter()
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow catalog.indexed", daemon=True)

    @property
    def events(self) -> int:
        """Product events of which something became, good or bad."""
        if self._failure is not None:
            raise FollowingFailed(f"catalog.indexed cannot be followed any more: {self._failure}")
        return sum(self._outcomes.values()) + sum(self._reasons.values())

    @property
    def measured(self) -> int:
        """Events with a freshness: all that changed the index."""
        return len(self._ages)

    @property
    def outcomes(self) -> dict[str, int]:
        return dict(self._outcomes)

    @property
    def dead_letters(self) -> dict[str, int]:
        """How many messages were put aside, by reason."""
        return dict(self._reasons)

    @property
    def problems(self) -> dict[str, int]:
        """What products were indexed without, such as pictures that could not be read."""
        return dict(self._problems)

    def freshness(self, since: int = 0) -> Percentiles:
        """Of the events from the `since`-th measured one on, in the order in which they became searchable."""
        ages = self._ages[since:]
        p50, p99 = np.percentile(ages, [50, 99]) if ages else (float("nan"), float("nan"))
        return Percentiles(round(float(p50), 4), round(float(p99), 4), len(ages))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._reader.close()

    def _follow(self) -> None:
        try:
            while not self._ended.is_set():
                for record in self._reader.read(_READ_SECONDS):
                    self._count(record)
        except Exception as error:  # whoever asks next must hear of it, not wait for ever
            self._failure = error
            raise

    def _count(self, record: ReadRecord) -> None:
        if record.topic != CATALOG_INDEXED:
            self._reasons[record.headers["reason"].decode()] += 1
            return
        event = orjson.loads(record.value or b"{}")
        if event.get("index"):  # a backfill: nothing became searchable for shoppers
            return
        self._outcomes[event["outcome"]] += 1
        for problem in event["problems"]:
            self._problems[problem.partition(":")[0]] += 1
        if event["outcome"] != "stale":
            self._ages.append(max(0.0, event["searchable_at"] - event["event_at"]))
