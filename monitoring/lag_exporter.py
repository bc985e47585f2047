"""Reads the lag of a cluster again and again, and shows the last reading for as long as it is true."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitoring.cluster_lag import ClusterReading
from monitoring.kafka_families import kafka_families
from monitoring.lag import LagUnavailable
from monitoring.metrics import LagExporterMetrics

logger = logging.getLogger(__name__)

_TRUE_FOR_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class _Shown:
    reading: ClusterReading
    until: float


class LagExporter(Collector):
    """Register it with a registry, and run it; scrapes never ask the broker.

    A reading that fails takes all metrics of Kafka away until the next that succeeds; so does one that hangs.
    """

    def __init__(
        self,
        read: Callable[[], ClusterReading],
        metrics: LagExporterMetrics,
        interval_seconds: float,
        explain: Callable[[LagUnavailable], str] = str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`explain` is asked once for each outage, for the log. `clock` gives seconds since 1970."""
        self._read = read
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._explain = explain
        self._clock = clock
        self._shown: _Shown | None = None
        self._away = False
        self._failing: frozenset[tuple[str, str]] = frozenset()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        shown = self._shown
        if shown is not None and self._clock() <= shown.until:
            yield from kafka_families(shown.reading)

    def run(self, stopping: threading.Event) -> None:
        """Until `stopping` is set."""
        while not stopping.is_set():
            self.look()
            stopping.wait(self._interval_seconds)

    def look(self) -> None:
        """One reading, shown or counted as failed."""
        started = self._clock()
        try:
            reading = self._read()
        except LagUnavailable as error:
            self._shown = None
            self._metrics.errors.labels("cluster", error.reason).inc()
            if not self._away:
                logger.warning("No lag is shown until the broker tells it again: %s", self._explain(error))
            self._away = True
            return
        finished = self._clock()
        took = finished - started
        self._shown = _Shown(reading, finished + _TRUE_FOR_INTERVALS * max(self._interval_seconds, took))
        self._metrics.collection_seconds.set(took)
        self._metrics.last_success_timestamp_seconds.set(finished)
        if self._away:
            logger.info("The broker tells the lag of groups again")
        self._away = False
        self._tell_failures(reading)

    def _tell_failures(self, reading: ClusterReading) -> None:
        for group, reason in reading.failures.items():
            self._metrics.errors.labels("group", reason).inc()
            if (group, reason) not in self._failing:
                logger.warning("The lag of group %s is not shown: the broker answers %s", group, reason)
        self._failing = frozenset(reading.failures.items())
