"""An agent's work on a thread of its own: fetched batches in their order, several at once where they wait."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from monitoring.metrics import Metrics
from streams.records import Record

T = TypeVar("T")
Acknowledge = Callable[[], None]
Crash = Callable[[BaseException], NoReturn]

logger = logging.getLogger(__name__)

_TRIES_BETWEEN_LOGS = 10  # about half a minute


@dataclass(frozen=True, slots=True)
class Gathering:
    """How much is worked on at once: what waits, up to `records`; for `seconds` more may come, while fewer than
    `batches` are in hand.
    """

    records: int = 2_000
    seconds: float = 0.0
    batches: int = 1_000


class Heartbeat:
    """When something last moved, or waited for a known reason, in monotonic seconds."""

    def __init__(self) -> None:
        self.last_progress = time.monotonic()

    def touch(self) -> None:
        self.last_progress = time.monotonic()


_Fetched = tuple[Sequence[Record], Acknowledge]


class BatchAgent:
    """Hands fetched batches to `work`, which returns when all of it is done, and acknowledges them then.

    Anything that `work` raises calls `crash`, which must end the process: nothing in hand is acknowledged, and it is
    read again after the restart.
    """

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        work: Callable[[Sequence[Record]], None],
        heartbeat: Heartbeat,
        crash: Crash,
        gathering: Gathering | None = None,
    ) -> None:
        self.name = name
        self.topics = topics  # as on the broker
        self._work = work
        self._heartbeat = heartbeat
        self._crash = crash
        self._gathering = gathering or Gathering()
        self._inbox: queue.SimpleQueue[_Fetched | None] = queue.SimpleQueue()
        self._taken = 0
        self._finished = 0

    @property
    def in_flight(self) -> int:
        """Fetches submitted and not acknowledged."""
        return self._taken - self._finished

    @property
    def last_progress(self) -> float:
        return self._heartbeat.last_progress

    def start(self) -> None:
        threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def submit(self, records: Sequence[Record], acknowledge: Acknowledge) -> None:
        """Called by one thread. `acknowledge` is called once, from another, when all of it is done."""
        self._taken += 1
        self._inbox.put((records, acknowledge))

    def hurry(self) -> None:
        """Wait for no more, once: what is gathered is worked on at once."""
        self._inbox.put(None)

    async def read(self, stream: Any) -> None:
        """The agent's function for Faust.

        No exception leaves it: Faust would acknowledge the batch in flight (faust-streaming #315).
        """
        loop = asyncio.get_running_loop()
        try:
            async for event in stream.noack().events():
                self.submit(event.value.records, acknowledger(stream, event, loop, self._crash))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - nothing may reach Faust
            self._crash(error)

    def _run(self) -> None:
        try:
            while True:
                self._work_on_what_waits()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends before anything is acknowledged
            self._crash(error)

    def _work_on_what_waits(self) -> None:
        gathered = self._gather()
        self._work([record for records, _ in gathered for record in records])
        for _, acknowledge in gathered:
            acknowledge()
        self._finished += len(gathered)
        self._heartbeat.touch()

    def _gather(self) -> list[_Fetched]:
        while (fetched := self._inbox.get()) is None:
            pass  # nothing was gathered yet
        gathered, count = [fetched], len(fetched[0])
        due = time.monotonic() + self._gathering.seconds
        while count < self._gathering.records and len(gathered) < self._gathering.batches:
            more = self._next_before(due)
            if more is None:
                break
            gathered.append(more)
            count += len(more[0])
        return gathered

    def _next_before(self, due: float) -> _Fetched | None:
        try:
            left = due - time.monotonic()
            return self._inbox.get(timeout=left) if left > 0 else self._inbox.get_nowait()
        except queue.Empty:
            return None


class Patience:
    """Makes a call again, later and later, for as long as what it needs is away; whoever watches is told each time."""

    def __init__(
        self,
        what: str,
        away: type[Exception] | tuple[type[Exception], ...],
        metrics: Metrics,
        on_wait: Callable[[], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._what = what
        self._metrics = metrics
        self._on_wait = on_wait
        self._retrying = Retrying(
            retry=retry_if_exception_type(away),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            before_sleep=self._count,
            sleep=sleep,
        )

    def call(self, attempt: Callable[[], T]) -> T:
        return self._retrying(attempt)

    def _count(self, state: RetryCallState) -> None:
        self._metrics.retries.labels(self._what, "unavailable").inc()
        self._on_wait()
        if state.attempt_number % _TRIES_BETWEEN_LOGS == 1 and state.outcome is not None:
            logger.warning(
                "Waiting for the %s (try %d): %s", self._what, state.attempt_number, state.outcome.exception()
            )


def acknowledger(stream: Any, event: Any, loop: asyncio.AbstractEventLoop, crash: Crash) -> Acknowledge:
    async def acknowledge() -> None:
        try:
            await stream.ack(event)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - an ack that is lost would stop the partition silently
            crash(error)

    def from_any_thread() -> None:
        asyncio.run_coroutine_threadsafe(acknowledge(), loop)

    return from_any_thread
