"""What features know of products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.product_table import ProductTable

DRESS = {
    "id": "dress",
    "price": 20,
    "brand": "Ada",
    "categories": ["Women", "Dresses"],
    "attributes": {"colour": "red"},
}
SHIRT = {"id": "shirt", "brand": "ada", "categories": ["Shirts"], "attributes": {"colour": ["red", "blue"]}}


@pytest.fixture
def table() -> ProductTable:
    table = ProductTable(["price"], ["brand", "categories", "colour"])
    table.learn([DRESS, SHIRT])
    return table


def test_a_number_that_is_not_there_is_not_known(table: ProductTable) -> None:
    numbers = table.numbers("price", table.rows(["dress", "shirt", "unheard of"]))

    assert numbers.tolist() == pytest.approx([20, np.nan, np.nan], nan_ok=True)


def test_equal_values_have_equal_ids_whatever_their_case(table: ProductTable) -> None:
    dress, shirt = table.values("brand", table.rows(["dress", "shirt"]))

    assert dress.tolist() == shirt.tolist()


def test_a_product_may_have_several_values_or_none(table: ProductTable) -> None:
    dress, shirt, unknown = table.values("colour", table.rows(["dress", "shirt", "unheard of"]))

    assert dress[0] == shirt[0]
    assert (dress > 0).sum() == 1
    assert (shirt > 0).sum() == 2
    assert (unknown > 0).sum() == 0


def test_a_product_that_went_is_not_known_and_its_row_is_used_again(table: ProductTable) -> None:
    table.forget(["dress"])
    assert table.rows(["dress"]).tolist() == [0]

    table.learn([{"id": "hat", "price": 5}])
    assert table.numbers("price", table.rows(["hat", "shirt", "dress"])).tolist() == pytest.approx(
        [5, np.nan, np.nan], nan_ok=True
    )


@given(
    st.lists(
        st.tuples(st.sampled_from([f"p{number}" for number in range(400)]), st.none() | st.floats(-1e6, 1e6, width=32)),
        max_size=600,
    )
)
def test_it_says_what_was_learned_last(changes: list[tuple[str, float | None]]) -> None:
    """None: the product goes."""
    table = ProductTable(["price"], ["brand"])
    held: dict[str, float] = {}
    for product_id, price in changes:
        if price is None:
            table.forget([product_id])
            held.pop(product_id, None)
        else:
            table.learn([{"id": product_id, "price": price, "brand": f"of {product_id}"}])
            held[product_id] = price

    rows = table.rows(list(held))
    assert len(table) == len(held)
    assert table.numbers("price", rows).tolist() == list(held.values())
    assert len(set(table.values("brand", rows)[:, 0].tolist())) == len(held)
