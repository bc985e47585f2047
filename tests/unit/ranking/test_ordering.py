"""Matches by price, rating and age."""

import pytest

from ranking.fusion import FusedProduct
from ranking.ordering import in_order
from ranking.queries import Sort

DOCUMENTS = {
    "a": {"price": 30, "rating": 4.0, "updated_at": "2026-11-01T00:00:00Z"},
    "b": {"price": 10, "updated_at": "2026-11-02T00:00:00+00:00"},
    "c": {"rating": 4.5},
    "d": {"price": 10, "rating": 4.0, "updated_at": "2026-11-01T01:00:00+02:00"},
}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.RELEVANCE, "abcd"),
        (Sort.PRICE_ASCENDING, "bdac"),
        (Sort.PRICE_DESCENDING, "abdc"),
        (Sort.RATING, "cadb"),
        (Sort.NEWEST, "badc"),
    ],
)
def test_what_says_nothing_comes_last_and_equal_ones_keep_their_order(sort: Sort, expected: str) -> None:
    products = [FusedProduct(product_id, 1.0, {}) for product_id in "abcd"]

    assert "".join(product.product_id for product in in_order(products, DOCUMENTS, sort)) == expected
