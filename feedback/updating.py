"""Profiles and statistics kept up to date: what the click loop calls."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from feedback.applying import apply_lists
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from monitoring.metrics import Metrics
from topics.feedback import JoinedList

_SECONDS_BETWEEN_PURGES = 3_600.0


class ProfileUpdater:
    """Call it from one thread. Every method waits for the store and raises StoreUnavailable; call it again then.

    `clock` gives seconds since 1970 and decides when states expire. `examination`: the chances that the places 1, 2,
    ... of a list are looked at, the last one for all that follow.
    """

    def __init__(
        self,
        store: ProfileStore,
        settings: ProfileSettings,
        clock: Callable[[], float] = time.time,
        metrics: Metrics | None = None,
        examination: Sequence[float] = (),
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._examination = examination
        self._purge_at = clock() + _SECONDS_BETWEEN_PURGES

    def apply(self, lists: Sequence[JoinedList]) -> None:
        """A repeat changes nothing. Now and then what has expired is removed."""
        with self._timed("apply"):
            applied = apply_lists(self._store, lists, self._settings, self._clock(), self._examination)
        if self._metrics is not None:
            for outcome, number in applied.outcomes.items():
                self._metrics.counted_lists.labels(outcome).inc(number)
            for reason, number in applied.left_out.items():
                self._metrics.left_out_actions.labels(reason).inc(number)
        if self._clock() >= self._purge_at:
            self.purge()

    def purge(self) -> None:
        """Remove what has expired, where the store does not do so by itself."""
        now = self._clock()
        self._purge_at = now + _SECONDS_BETWEEN_PURGES
        with self._timed("purge"):
            purged = self._store.purge(now)
        if self._metrics is not None:
            for kind, number in purged.items():
                self._metrics.purged_states.labels(kind).inc(number)

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        if self._metrics is not None:
            self._metrics.profile_store_seconds.labels(operation).observe(time.perf_counter() - began)
