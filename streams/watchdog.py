"""Ends a worker whose waiting events do not move, so that its supervisor starts a fresh one (no zombies)."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from monitoring.lag import LagUnavailable

logger = logging.getLogger(__name__)


class Progress(Protocol):
    """What the watchdog looks at. Times are monotonic seconds."""

    @property
    def last_progress(self) -> float: ...
    @property
    def in_flight(self) -> int: ...


class Watchdog:
    """Stalled: over `stalled_seconds` events waited at every look, and none was finished, while the broker answered.

    `records_wait` tells whether records wait on the broker in this worker's partitions; it is asked only when nothing
    moved since the last look. What is in flight here counts as waiting, too, so a worker that never gets what waits
    for it is found as well as one that never finishes what it has.
    """

    def __init__(self, progress: Progress, records_wait: Callable[[], bool], stalled_seconds: float) -> None:
        self._progress = progress
        self._records_wait = records_wait
        self._stalled_seconds = stalled_seconds
        self._waiting_since: float | None = None
        self._last_seen: float | None = None

    def look(self, now: float) -> bool:
        """True when the worker is stalled. `now` is in the clock of `last_progress`."""
        if not self._anything_waits():
            self._waiting_since = None
            return False
        since = max(self._progress.last_progress, now if self._waiting_since is None else self._waiting_since)
        self._waiting_since = since
        return now - since >= self._stalled_seconds

    def _anything_waits(self) -> bool:
        in_flight, last_seen, self._last_seen = self._progress.in_flight, self._last_seen, self._progress.last_progress
        if in_flight and self._last_seen != last_seen:
            return True
        try:
            return self._records_wait() or in_flight > 0
        except LagUnavailable:  # a broker that is away is no fault of this worker, nor is what it cannot finish then
            return False

    def start(self, on_stalled: Callable[[], None]) -> None:
        """Look every quarter of `stalled_seconds` from a daemon thread. A look that fails counts as a stall."""
        threading.Thread(target=self._watch, args=(on_stalled,), name="watchdog", daemon=True).start()

    def _watch(self, on_stalled: Callable[[], None]) -> None:
        try:
            while not self.look(time.monotonic()):
                time.sleep(self._stalled_seconds / 4)
            logger.critical("No event was finished for %.0f s though events wait: ending", self._stalled_seconds)
        except Exception:
            logger.critical("The watchdog itself failed: ending", exc_info=True)
        on_stalled()
