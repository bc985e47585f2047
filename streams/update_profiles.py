"""The agent `update-profiles`: joined lists to profiles and statistics."""

from collections.abc import Callable, Sequence

from feedback.store import StoreUnavailable
from feedback.updating import ProfileUpdater
from monitoring.metrics import Metrics
from streams.batch_agent import Patience
from streams.outbox import Outbox
from streams.reading import read_records
from streams.records import Record
from topics.catalogue import FEEDBACK_EXAMPLES
from topics.feedback import JoinedList


class UpdateProfiles:
    """The work of the agent: returns when the store has all of it. What cannot be read goes to the dead letters."""

    def __init__(self, updater: ProfileUpdater, outbox: Outbox, metrics: Metrics, on_wait: Callable[[], None]) -> None:
        self._updater = updater
        self._outbox = outbox
        self._metrics = metrics
        self._patience = Patience("profile store", StoreUnavailable, metrics, on_wait)

    def __call__(self, records: Sequence[Record]) -> None:
        read, rejected = read_records(records, JoinedList)
        lists = [joined for _, joined in read]
        self._patience.call(lambda: self._updater.apply(lists))
        self._outbox.put_aside(FEEDBACK_EXAMPLES, rejected)
        self._metrics.events.labels(FEEDBACK_EXAMPLES, "counted").inc(len(lists))
