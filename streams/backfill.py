"""A worker that fills another collection from the topic's beginning, and says when it has caught up."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from monitoring.lag import LagUnavailable, PartitionLag

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 30.0


class Place(Protocol):
    """Where a consumer group stands in a topic, as monitoring.lag.GroupLag tells. Raises LagUnavailable."""

    def read(self) -> Mapping[int, PartitionLag]: ...

    def records_wait(self, partitions: Collection[int]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Backfill:
    """`alias` names the collection to fill, `place` is that of its own group. One thread only looks at it."""

    alias: str
    place: Place


class CatchUp:
    """Logs how far a backfill is, and once that it has caught up. `reported` counts the records that are done.

    Under traffic something is always on its way. So caught up is who has committed, at one look, all that was on the
    topic at the look before.
    """

    def __init__(self, backfill: Backfill, reported: Callable[[], int]) -> None:
        self._backfill = backfill
        self._reported = reported
        self._ends: dict[int, int] | None = None
        self._tell_at = 0.0

    def look(self, now: float) -> bool:
        """True once it has caught up. `now` counts seconds."""
        try:
            lag = self._backfill.place.read()
            behind = sum(each.events for each in lag.values())
            caught_up = self._has_what_was_there(lag) or self._only_markers_left(lag, behind)
        except LagUnavailable:
            return False
        self._ends = {partition: each.latest for partition, each in lag.items()}
        alias, reported = self._backfill.alias, self._reported()
        if caught_up:
            logger.info("Caught up: %r holds what is on the topic; this process handled %d events", alias, reported)
        elif now >= self._tell_at:
            logger.info("Filling %r: %d events behind, %d handled by this process", alias, behind, reported)
            self._tell_at = now + _SECONDS_BETWEEN_LINES
        return caught_up

    def start(self, seconds_between_looks: float) -> None:
        """Look from a daemon thread, until it has caught up."""

        def watch() -> None:
            while not self.look(time.monotonic()):
                time.sleep(seconds_between_looks)

        threading.Thread(target=watch, name="catch up", daemon=True).start()

    def _has_what_was_there(self, lag: Mapping[int, PartitionLag]) -> bool:
        if self._ends is None:
            return not any(each.events for each in lag.values())
        return all(
            each.events == 0 or (each.committed or 0) >= self._ends.get(partition, each.latest)
            for partition, each in lag.items()
        )

    def _only_markers_left(self, lag: Mapping[int, PartitionLag], behind: int) -> bool:
        """The marker that a transaction leaves at the end of a partition counts as an event for ever."""
        return 0 < behind <= len(lag) and not self._backfill.place.records_wait(lag.keys())
