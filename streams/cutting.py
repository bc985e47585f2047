"""Fetched batches, re-cut into the encoder's best size: a full batch goes at once, a small one when its time is up."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.records import Record


@dataclass(slots=True, eq=False)
class Fetch:
    """Records that arrived together and are acknowledged together, once all of them are done."""

    records: Sequence[Record]
    acknowledge: Callable[[], None]
    received_at: float
    undone: int = field(init=False)

    def __post_init__(self) -> None:
        self.undone = len(self.records)

    def done(self, count: int) -> None:
        """Not thread-safe: the caller holds a lock."""
        self.undone -= count
        if self.undone == 0:
            self.acknowledge()


@dataclass(slots=True)
class Cut:
    """Records for one run through the stages, in the order they came, and the fetches that they are part of."""

    records: list[Record] = field(default_factory=list)
    shares: list[tuple[Fetch, int]] = field(default_factory=list)
    received_at: float = 0.0


@dataclass(slots=True)
class _Held:
    fetch: Fetch
    arrived_at: float
    given_out: int = 0


class Cutter:
    """Holds what came and gives it out in cuts of at most `size`, none held longer than `wait_seconds`.

    The clock is the caller's; any clock that only goes forward will do.
    """

    def __init__(self, size: int, wait_seconds: float) -> None:
        self._size = size
        self._wait_seconds = wait_seconds
        self._held: deque[_Held] = deque()
        self._count = 0

    def add(self, fetch: Fetch, now: float) -> None:
        self._held.append(_Held(fetch, now))
        self._count += len(fetch.records)

    def due_at(self) -> float | None:
        """When the next cut must go; None while nothing is held."""
        if not self._held:
            return None
        return self._held[0].arrived_at + (self._wait_seconds if self._count < self._size else 0.0)

    def cut(self, now: float) -> Cut | None:
        """The next cut if it is full or its time is up."""
        due = self.due_at()
        if due is None or now < due:
            return None
        cut = Cut(received_at=self._held[0].fetch.received_at)
        while self._held and len(cut.records) < self._size:
            first = self._held[0]
            taken = first.fetch.records[first.given_out : first.given_out + self._size - len(cut.records)]
            cut.records.extend(taken)
            cut.shares.append((first.fetch, len(taken)))
            first.given_out += len(taken)
            if first.given_out == len(first.fetch.records):
                self._held.popleft()
        self._count -= len(cut.records)
        return cut
