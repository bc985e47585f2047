"""The agent `erase-shoppers`: takes people out of profiles, open lists and the example log."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from feedback.example_log import ExampleLog, LogUnavailable
from feedback.list_erasure import erase_open_lists
from feedback.store import ProfileStore, StoreUnavailable
from monitoring.metrics import Metrics
from streams.batch_agent import Patience
from streams.outbox import Outbox
from streams.reading import read_records
from streams.records import Record
from topics.catalogue import SHOPPERS_ERASED
from topics.feedback import ShopperErased

_DAY_SECONDS = 86_400


class Eraser(Protocol):
    """Removes the profile and leaves the mark. Raises StoreUnavailable; the same call may then be made again."""

    def erase(self, erased: ShopperErased) -> object: ...


class EraseShoppers:
    """The work of the agent: returns when all parts have dropped what they kept of the time before.

    The mark comes first: whatever is written from then on is checked against it.
    """

    def __init__(
        self,
        profiles: Eraser,
        store: ProfileStore,
        log: ExampleLog,
        outbox: Outbox,
        metrics: Metrics,
        on_wait: Callable[[], None],
        keep_days: float,
    ) -> None:
        self._profiles = profiles
        self._store = store
        self._log = log
        self._outbox = outbox
        self._metrics = metrics
        self._patience = Patience("store of what is erased", (StoreUnavailable, LogUnavailable), metrics, on_wait)
        self._on_wait = on_wait
        self._keep_seconds = keep_days * _DAY_SECONDS

    def __call__(self, records: Sequence[Record]) -> None:
        read, rejected = read_records([record for record in records if record.value is not None], ShopperErased)
        for _, erased in read:
            self._patience.call(lambda erased=erased: self._profiles.erase(erased))
            expires_at = time.time() + self._keep_seconds
            lists = self._patience.call(
                lambda erased=erased, at=expires_at: erase_open_lists(self._store, erased, at)
            )
            self._on_wait()
            rows = self._patience.call(lambda erased=erased: self._log.erase(erased.shopper, erased.at))
            self._metrics.erased.labels("open_lists").inc(lists)
            self._metrics.erased.labels("example_rows").inc(rows)
        self._outbox.put_aside(SHOPPERS_ERASED, rejected)
        self._metrics.events.labels(SHOPPERS_ERASED, "erased").inc(len(read))
