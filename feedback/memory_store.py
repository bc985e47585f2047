"""States in the memory of this process: for replays and tests."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from feedback.store import Change, Kept


class MemoryStore:
    """A ProfileStore that ends with its process."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._expiries: dict[str, float] = {}
        self._lock = threading.Lock()

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        with self._lock:
            return list(map(self._values.get, keys))

    def update(self, keys: Sequence[str], change: Change) -> None:
        with self._lock:
            held = {key: value for key in keys if (value := self._values.get(key)) is not None}
            for key, kept in change(held).items():
                if kept is None:
                    self._forget(key)
                else:
                    self._values[key], self._expiries[key] = kept

    def keys(self, kind: str) -> Iterator[str]:
        with self._lock:
            return iter([key for key in self._values if key.partition(":")[0] == kind])

    def purge(self, now: float) -> Mapping[str, int]:
        with self._lock:
            expired = [key for key, expires_at in self._expiries.items() if expires_at <= now]
            for key in expired:
                self._forget(key)
        return Counter(key.partition(":")[0] for key in expired)

    def states(self) -> dict[str, Kept]:
        """All that is kept, as of one moment."""
        with self._lock:
            return {key: Kept(value, self._expiries[key]) for key, value in self._values.items()}

    def close(self) -> None:
        """Nothing to do: the states go with the object."""

    def _forget(self, key: str) -> None:
        self._values.pop(key, None)
        self._expiries.pop(key, None)
