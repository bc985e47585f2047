"""The products that came or changed last: what a shop without any history can still show."""

import threading
from collections.abc import Iterable, Mapping
from heapq import nlargest
from typing import Any

_KEPT = 1_000
_ROOM = 2 * _KEPT


class NewestProducts:
    """The newest thousand by `updated_at`, from all that is learned. Safe to call from several threads."""

    def __init__(self) -> None:
        self._updated: dict[str, str] = {}
        self._lock = threading.Lock()

    def learn(self, documents: Iterable[Mapping[str, Any]]) -> None:
        with self._lock:
            for document in documents:
                if "updated_at" in document:
                    self._updated[document["id"]] = document["updated_at"]
            if len(self._updated) > _ROOM:
                self._updated = dict(self._newest(_KEPT))

    def forget(self, product_ids: Iterable[str]) -> None:
        with self._lock:
            for product_id in product_ids:
                self._updated.pop(product_id, None)

    def top(self, limit: int) -> list[str]:
        """At most a thousand ids, the newest first, of equal ones by id."""
        with self._lock:
            return [product_id for product_id, _ in self._newest(min(limit, _KEPT))]

    def _newest(self, limit: int) -> list[tuple[str, str]]:
        by_id = sorted(self._updated.items())
        return nlargest(limit, by_id, key=lambda one: one[1])
