"""Which products are not in stock, at hand for lists that are made without their documents."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_IN_STOCK = "in_stock"


class Stock:
    """Learns of all products and keeps those that are not in stock. Safe to call from several threads."""

    def __init__(self) -> None:
        self._others: dict[str, str] = {}
        self._lock = threading.Lock()

    def learn(self, documents: Iterable[Mapping[str, Any]]) -> None:
        with self._lock:
            for document in documents:
                availability = document.get("availability", _IN_STOCK)
                if availability == _IN_STOCK:
                    self._others.pop(document["id"], None)
                else:
                    self._others[document["id"]] = availability

    def forget(self, product_ids: Iterable[str]) -> None:
        with self._lock:
            for product_id in product_ids:
                self._others.pop(product_id, None)

    def availability(self, product_ids: Sequence[str]) -> list[str]:
        """Of each, in their order; empty where it is in stock, or not known."""
        return [self._others.get(product_id, "") for product_id in product_ids]
