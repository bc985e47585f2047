"""Products that cannot be bought now: shown like others, after them, or not at all."""

from collections.abc import Mapping, Sequence

from index.base import Filter
from ranking.fusion import FusedProduct, Leg, RankedLegs
from ranking.settings import AvailabilityRules

_FIELD = "availability"


class Availability:
    """What the rules mean for a search. What is hidden is shown to whoever filters by availability."""

    def __init__(self, rules: AvailabilityRules) -> None:
        self._placed: Mapping[str, str] = {"in_stock": "shown", **rules.model_dump()}
        self._last = frozenset(value for value, place in self._placed.items() if place == "last")
        shown = tuple(value for value, place in self._placed.items() if place != "hidden")
        self._shown = () if len(shown) == len(self._placed) else (Filter(_FIELD, any_of=shown),)

    def filters(self, asked: Sequence[Filter]) -> Sequence[Filter]:
        """Those asked for, and one against what is hidden."""
        return asked if any(one.field == _FIELD for one in asked) else [*asked, *self._shown]

    def late(self, found: RankedLegs) -> dict[str, str]:
        """What belongs last, with its availability; who names an article number sees it first."""
        named = {hit.product_id for hit in found.get(Leg.IDENTIFIERS, ())}
        return {
            hit.product_id: hit.availability
            for hits in found.values()
            for hit in hits
            if hit.availability in self._last and hit.product_id not in named
        }

    def place(self, availability: str) -> str:
        """shown, last or hidden; what is not known is shown."""
        return self._placed.get(availability, "shown")

    def last(self, products: Sequence[FusedProduct], found: RankedLegs) -> list[FusedProduct]:
        """The order that came in, but for those that belong last."""
        if not self._last:
            return list(products)
        late = self.late(found)
        return sorted(products, key=lambda product: product.product_id in late)
