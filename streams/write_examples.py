"""The agent `write-examples`: joined lists to the example log."""

import time
from collections.abc import Callable, Sequence
from datetime import date

from feedback.example_log import ExampleLog
from feedback.example_rows import day_of
from feedback.example_settings import ExampleLogSettings
from feedback.log_errors import LogUnavailable
from feedback.store import StoreUnavailable
from monitoring.metrics import Metrics
from streams.batch_agent import Patience
from streams.reading import read_records
from streams.records import Record
from topics.feedback import JoinedList

_SECONDS_A_MINUTE = 60


class WriteExamples:
    """The work of the agent: returns when the log has all of it.

    What cannot be read is left out here: `update-profiles` hears of it, too, and puts it aside.
    """

    def __init__(
        self,
        log: ExampleLog,
        settings: ExampleLogSettings,
        metrics: Metrics,
        on_wait: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._settings = settings
        self._metrics = metrics
        self._on_wait = on_wait
        self._patience = Patience("example log", (LogUnavailable, StoreUnavailable), metrics, on_wait)
        self._clock = clock
        self._compact_at = clock()
        self._changed: set[date] | None = None  # since the last compaction; None: since nobody knows when

    def __call__(self, records: Sequence[Record]) -> None:
        read, _ = read_records(records, JoinedList)
        lists = [joined for _, joined in read]
        name = extent_of(records)
        written = self._patience.call(lambda: self._log.write(lists, name))
        self._metrics.example_rows.labels("written").inc(written)
        days = {day for joined in lists if joined.at is not None and (day := day_of(joined.at)) is not None}
        if self._changed is not None:
            self._changed |= days
        if self._clock() >= self._compact_at:
            self._patience.call(self._compact)
            self._compact_at = self._clock() + self._settings.compact_minutes * _SECONDS_A_MINUTE

    def _compact(self) -> None:
        days = set(self._log.days()) if self._changed is None else self._changed
        for day in sorted(days):
            compacted = self._log.compact(day, self._settings.compact_files, self._on_wait)
            self._metrics.example_files.labels("compacted").inc(compacted)
        self._changed = set()


def extent_of(records: Sequence[Record]) -> str:
    """Which records these are: offsets by partition, with the broker's times, since a topic may be made anew."""
    ends: dict[int, tuple[Record, Record]] = {}
    for record in records:
        first, _ = ends.get(record.partition, (record, record))
        ends[record.partition] = (first, record)
    return ",".join(
        f"{partition}:{first.offset}@{first.timestamp}-{last.offset}@{last.timestamp}"
        for partition, (first, last) in sorted(ends.items())
    )
