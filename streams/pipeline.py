"""The stages of indexing, a thread each and short queues between them: the encoder never waits for the others."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from monitoring.metrics import Metrics
from streams.cutting import Cut, Cutter, Fetch
from streams.indexer import Indexer
from streams.records import Record
from streams.reporting import Reporter
from streams.work import Work

logger = logging.getLogger(__name__)

_QUEUE_DEPTH = 2


class Pipeline:
    """Takes fetched batches in, and acknowledges each once all of its records are indexed and reported.

    One thread a stage and FIFO queues keep the order, so changes to one product are applied as they came. What is in
    flight is bounded by whoever submits. Anything unexpected calls `crash`, which must end the process: nothing of
    what was in flight is acknowledged, and it is read again after the restart.
    """

    def __init__(
        self,
        indexer: Indexer,
        reporter: Reporter,
        metrics: Metrics,
        batch_wait_seconds: float,
        crash: Callable[[BaseException], NoReturn],
    ) -> None:
        self._indexer = indexer
        self._reporter = reporter
        self._metrics = metrics
        self._crash = crash
        self._cutter = Cutter(indexer.batch_size, batch_wait_seconds)
        self._inbox: queue.SimpleQueue[Fetch] = queue.SimpleQueue()
        self._to_encode: queue.Queue[tuple[Cut, Work]] = queue.Queue(_QUEUE_DEPTH)
        self._to_write: queue.Queue[tuple[Cut, Work]] = queue.Queue(_QUEUE_DEPTH)
        self._acknowledging = threading.Lock()
        self._in_flight = 0
        self.last_progress = time.monotonic()

    @property
    def in_flight(self) -> int:
        """Fetches submitted and not acknowledged."""
        return self._in_flight

    def start(self) -> None:
        for name, step in (("prepare", self._prepare_next), ("encode", self._encode_next), ("write", self._write_next)):
            threading.Thread(target=self._run, args=(step,), name=name, daemon=True).start()

    def submit(self, records: Sequence[Record], acknowledge: Callable[[], None]) -> None:
        """Take a fetched batch. `acknowledge` is called once, from another thread, when all of it is done."""

        def acknowledged() -> None:
            self._in_flight -= 1
            self._metrics.batches_in_flight.set(self._in_flight)
            acknowledge()

        with self._acknowledging:
            self._in_flight += 1
        self._metrics.batches_in_flight.set(self._in_flight)
        self._inbox.put(Fetch(records, acknowledged, time.time()))

    def touch(self) -> None:
        """Something moved, or waits for a known reason: this worker is not stalled."""
        self.last_progress = time.monotonic()

    def _run(self, step: Callable[[], None]) -> None:
        try:
            while True:
                step()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends before anything is acknowledged
            self._crash(error)

    def _prepare_next(self) -> None:
        cut = self._next_cut()
        self._to_encode.put((cut, self._indexer.prepare(cut.records, cut.received_at)))
        self.touch()

    def _next_cut(self) -> Cut:
        while True:
            now = time.monotonic()
            self._take_what_waits(now)
            if cut := self._cutter.cut(now):
                return cut
            due = self._cutter.due_at()
            try:
                fetch = self._inbox.get(timeout=None if due is None else due - now)
            except queue.Empty:
                continue
            self._cutter.add(fetch, time.monotonic())

    def _take_what_waits(self, now: float) -> None:
        """All of it before anything is cut: a cut whose time is up shall still be as full as it can be."""
        while True:
            try:
                self._cutter.add(self._inbox.get_nowait(), now)
            except queue.Empty:
                return

    def _encode_next(self) -> None:
        cut, work = self._to_encode.get()
        self._to_write.put((cut, self._indexer.encode(work)))
        self.touch()

    def _write_next(self) -> None:
        cut, work = self._to_write.get()
        self._reporter.report(self._indexer.write(work), lambda: self._finish(cut))

    def _finish(self, cut: Cut) -> None:
        with self._acknowledging:
            for fetch, count in cut.shares:
                fetch.done(count)
        self.touch()
