"""Matches in another order than by relevance."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ranking.fusion import FusedProduct
from ranking.queries import Sort

_Value = Callable[[Mapping[str, Any]], float | None]


def in_order(
    products: Sequence[FusedProduct], documents: Mapping[str, Mapping[str, Any]], sort: Sort
) -> list[FusedProduct]:
    """Products by what their documents say; those that say nothing last, equal ones in the order they came in."""
    if sort is Sort.RELEVANCE:
        return list(products)
    value, descending = _VALUES[sort]
    known: list[tuple[float, FusedProduct]] = []
    unknown: list[FusedProduct] = []
    for product in products:
        found = value(documents[product.product_id])
        if found is None:
            unknown.append(product)
        else:
            known.append((-found if descending else found, product))
    return [product for _, product in sorted(known, key=lambda one: one[0])] + unknown


def _number(field: str) -> _Value:
    return lambda document: document.get(field)


def _changed(document: Mapping[str, Any]) -> float | None:
    changed = document.get("updated_at")
    return None if changed is None else datetime.fromisoformat(changed).timestamp()


_VALUES: Mapping[Sort, tuple[_Value, bool]] = {
    Sort.PRICE_ASCENDING: (_number("price"), False),
    Sort.PRICE_DESCENDING: (_number("price"), True),
    Sort.RATING: (_number("rating"), True),
    Sort.NEWEST: (_changed, True),
}
