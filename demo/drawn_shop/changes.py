"""What happens in the drawn shop on a working day: prices and stock change, new products come, old ones go."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from demo.drawn_shop.products import DrawnProduct
from topics.events import Product

_SHARES = {"price": 0.5, "stock": 0.25, "new": 0.2, "gone": 0.05}


@dataclass(frozen=True, slots=True)
class Gone:
    """The shop no longer sells it."""

    id: str


class WorkingDay:
    """An endless, repeatable run of changes to a catalogue. New products are taken from `arrivals` until they end."""

    def __init__(self, catalogue: Sequence[Product], arrivals: Iterator[DrawnProduct], seed: int) -> None:
        self._catalogue = {product.id: product for product in catalogue}
        self._arrivals = arrivals
        self._rng = random.Random(f"working day|{seed}")

    def next(self, now: datetime) -> Product | Gone | DrawnProduct:
        """The next change, as of `now`. A DrawnProduct is new: its picture must be written before it is published."""
        kind = self._rng.choices(list(_SHARES), list(_SHARES.values()))[0]
        if kind == "new" and (arrival := next(self._arrivals, None)) is not None:
            self._catalogue[arrival.event.id] = arrival.event
            return arrival
        product = self._rng.choice(list(self._catalogue.values()))
        if kind == "gone" and len(self._catalogue) > 1:
            del self._catalogue[product.id]
            return Gone(product.id)
        changes = self._new_stock(product) if kind == "stock" else self._new_price(product)
        changed = product.model_copy(update={**changes, "updated_at": now})
        self._catalogue[product.id] = changed
        return changed

    def _new_price(self, product: Product) -> dict[str, object]:
        price = (product.price or Decimal(10)) * Decimal(self._rng.choice(["0.8", "0.9", "1.1", "1.2"]))
        return {"price": max(Decimal("0.10"), price.quantize(Decimal("0.01")))}

    def _new_stock(self, product: Product) -> dict[str, object]:
        return {"availability": "out_of_stock" if product.availability == "in_stock" else "in_stock"}
