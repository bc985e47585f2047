"""States in the memory of this process: for replays and tests."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from feedback.store import Change, Kept


class MemoryStore:
    """A ProfileStore that ends with its process."""

    def __init__(self) -> None:
        self._states: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        with self._lock:
            return [None if kept is None else kept.value for kept in map(self._states.get, keys)]

    def update(self, keys: Sequence[str], change: Change) -> None:
        with self._lock:
            held = {key: kept.value for key in keys if (kept := self._states.get(key)) is not None}
            for key, kept in change(held).items():
                if kept is None:
                    self._states.pop(key, None)
                else:
                    self._states[key] = kept

    def keys(self, kind: str) -> Iterator[str]:
        with self._lock:
            return iter([key for key in self._states if key.partition(":")[0] == kind])

    def purge(self, now: float) -> Mapping[str, int]:
        with self._lock:
            expired = [key for key, kept in self._states.items() if kept.expires_at <= now]
            for key in expired:
                del self._states[key]
        return Counter(key.partition(":")[0] for key in expired)

    def states(self) -> dict[str, Kept]:
        """All that is kept, as of one moment."""
        with self._lock:
            return dict(self._states)

    def close(self) -> None:
        """Nothing to do: the states go with the object."""
