"""The agent `erase-shoppers`: takes people out of profiles, open lists and the example log."""

from collections.abc import Callable, Sequence

from feedback.log_errors import LogUnavailable
from feedback.person_erasure import PersonErasure
from feedback.store import StoreUnavailable
from monitoring.metrics import Metrics
from streams.batch_agent import Patience
from streams.outbox import Outbox
from streams.reading import read_records
from streams.records import Record
from topics.catalogue import SHOPPERS_ERASED
from topics.feedback import ShopperErased


class EraseShoppers:
    """The work of the agent: returns when all parts have dropped what they kept of the time before."""

    def __init__(self, erasure: PersonErasure, outbox: Outbox, metrics: Metrics, on_wait: Callable[[], None]) -> None:
        self._erasure = erasure
        self._outbox = outbox
        self._metrics = metrics
        self._patience = Patience("erasure", (StoreUnavailable, LogUnavailable), metrics, on_wait)
        self._on_wait = on_wait

    def __call__(self, records: Sequence[Record]) -> None:
        read, rejected = read_records([record for record in records if record.value is not None], ShopperErased)
        for _, erased in read:
            self._erase(erased)
        self._outbox.put_aside(SHOPPERS_ERASED, rejected)
        self._metrics.events.labels(SHOPPERS_ERASED, "erased").inc(len(read))

    def _erase(self, erased: ShopperErased) -> None:
        report = self._patience.call(lambda: self._erasure.erase(erased, self._on_wait))
        for kind, number in report.removed.items():
            self._metrics.erased_states.labels(kind).inc(number)
