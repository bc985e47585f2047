"""Since when the oldest record waits behind an offset, read once for each offset that a group stands at."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from monitoring.offsets import FirstRecord, Place

Start = tuple[Place, int]
"""A partition and the offset from which a group would go on."""

FetchFirst = Callable[[Mapping[Place, int], float], Iterable[tuple[Place, FirstRecord | None]]]
"""First record at or behind each offset, within some seconds, as in `monitoring.offsets.first_records`."""


@dataclass(frozen=True, slots=True)
class _Known:
    record: FirstRecord | None
    latest: int


class OldestRecords:
    """Remembers each record for as long as somebody asks for the same offset and it is kept. Not thread-safe."""

    def __init__(self, fetch: FetchFirst, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: dict[Start, _Known] = {}

    def read(
        self, starts: Iterable[Start], ends: Mapping[Place, tuple[int, int]], seconds: float
    ) -> dict[Start, FirstRecord | None]:
        """The oldest record behind each start; None where none can be read. Left out: what took too long.

        `ends` are the first offset kept and the next to be written.
        """
        wanted = set(starts)
        self._known = {
            start: known for start, known in self._known.items() if start in wanted and _holds(known, *ends[start[0]])
        }
        deadline = self._clock() + seconds
        missing = wanted - self._known.keys()
        while missing and (left := deadline - self._clock()) > 0:
            turn = dict(sorted(missing, reverse=True))  # of each partition, the lowest offset
            for place, record in self._fetch(turn, left):
                self._known[place, turn[place]] = _Known(record, ends[place][1])
            missing -= set(turn.items())
        return {start: known.record for start, known in self._known.items()}


def _holds(known: _Known, earliest: int, latest: int) -> bool:
    return known.latest == latest if known.record is None else known.record.offset >= earliest
