"""Keeps a producer from outrunning its consumers, for a broker that forgets what does not fit.

The bytes that a consumer group has not yet committed stay below a limit in every partition.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_RECORD_OVERHEAD_BYTES = 100  # what a record costs beside key, value and headers, alone in its batch
_POLL_SECONDS = 0.1


class BacklogStalled(Exception):
    """No consumer made room for too long; the message says what to start."""


@dataclass(slots=True)
class _Partition:
    waiting: deque[tuple[int, int]] = field(default_factory=deque)  # (offset, bytes) of own records, not committed
    waiting_bytes: int = 0
    next_offset: int = 0
    committed: int = 0


class Backlog:
    """Blocks a sender while too much waits for consumer group `group` to commit.

    The partition of a message is known only when it is delivered, so the check is on the safe side: what is in flight
    plus the fullest partition stays within `max_bytes_per_partition`. Records of other producers are counted at the
    mean size of one's own. A message that is larger than the limit goes when nothing else waits.

    `committed` gives the group's committed offset by partition, or None while the broker does not tell (only the
    sending thread calls it); `clock` counts
    seconds; `wait` sleeps. `delivered` and `failed` may be called from another thread.
    """

    def __init__(
        self,
        max_bytes_per_partition: int,
        committed: Callable[[], Mapping[int, int] | None],
        clock: Callable[[], float],
        wait: Callable[[float], object],
        patience_seconds: float,
        group: str,
    ) -> None:
        self._limit = max_bytes_per_partition
        self._committed = committed
        self._clock = clock
        self._wait = wait
        self._patience_seconds = patience_seconds
        self._group = group
        self._lock = threading.Lock()
        self._partitions: dict[int, _Partition] = {}
        self._in_flight_bytes = 0
        self._sent_count = 0
        self._sent_bytes = 0

    def make_room(self, size_bytes: int) -> None:
        """Wait until a message of this size can go, and count it as sent. Raises BacklogStalled."""
        give_up_at: float | None = None
        while not self._has_room(size_bytes):
            moved = self._note_commits()
            now = self._clock()
            if moved or give_up_at is None:
                give_up_at = now + self._patience_seconds
            if self._has_room(size_bytes):
                break
            if now >= give_up_at:
                raise BacklogStalled(self._complaint())
            self._wait(_POLL_SECONDS)
        with self._lock:
            self._in_flight_bytes += size_bytes
            self._sent_count += 1
            self._sent_bytes += size_bytes

    def delivered(self, partition: int, offset: int, size_bytes: int) -> None:
        """The broker has a message that was sent; offsets of one partition come in rising order."""
        with self._lock:
            self._in_flight_bytes -= size_bytes
            state = self._partitions.setdefault(partition, _Partition())
            state.next_offset = offset + 1
            state.waiting.append((offset, size_bytes))
            state.waiting_bytes += size_bytes

    def failed(self, size_bytes: int) -> None:
        """A message that was sent will not reach the broker."""
        with self._lock:
            self._in_flight_bytes -= size_bytes

    def _has_room(self, size_bytes: int) -> bool:
        with self._lock:
            ahead = self._in_flight_bytes + max(map(self._waiting_bytes, self._partitions.values()), default=0)
        return ahead == 0 or ahead + size_bytes <= self._limit

    def _waiting_bytes(self, state: _Partition) -> float:
        others = max(0, state.next_offset - state.committed - len(state.waiting))
        return state.waiting_bytes + others * self._sent_bytes / max(1, self._sent_count)

    def _note_commits(self) -> bool:
        """True when the group has moved on since the last time; a broker that does not answer is waited for."""
        committed = self._committed()
        if committed is None:
            return False
        moved = False
        with self._lock:
            for partition, state in self._partitions.items():
                moved |= committed.get(partition, 0) > state.committed
                state.committed = max(state.committed, committed.get(partition, 0))
                while state.waiting and state.waiting[0][0] < state.committed:
                    state.waiting_bytes -= state.waiting.popleft()[1]
        return moved

    def _complaint(self) -> str:
        waiting = sum(len(state.waiting) for state in self._partitions.values())
        return (
            f"{waiting} messages wait and no worker of group {self._group!r} has committed anything for "
            f"{self._patience_seconds:g} s: start one with `millrace worker` (or see its log) and import again; "
            "what was sent stays sent"
        )


def record_bytes(key: bytes | None, value: bytes | None) -> int:
    """At most what a record without headers takes at the broker, uncompressed."""
    return len(key or b"") + len(value or b"") + _RECORD_OVERHEAD_BYTES
