from typing import Any

import orjson
import pytest

from index.documents import document
from topics.events import Product

REQUIRED = {"id": "p", "updated_at": "2026-01-01T00:00:00Z", "title": "t"}
LEAST = {**REQUIRED, "availability": "in_stock", "language": "en"}


def read(**fields: Any) -> Product:
    return Product.model_validate_json(orjson.dumps({**REQUIRED, **fields}))


@pytest.mark.parametrize(
    "value",
    ["M", "", "true", "1", "1.5", True, False, 0, 1, -3, 2**63 - 1, -(2**63), 1.0, 0.5, 1e300, [], ["red", "1"]],
)
def test_an_attribute_keeps_its_value_and_its_type(value: Any) -> None:
    kept = document(read(attributes={"a": value}))["attributes"]["a"]

    assert (type(kept), kept) == (type(value), value)


def test_a_document_is_json() -> None:
    said = {
        "price": "12.50",
        "currency": "EUR",
        "rating": 4.5,
        "categories": ["a", "b"],
        "image_links": ["https://x/y"],
        "attributes": {"size": "M", "colours": ["red"]},
    }

    assert orjson.loads(orjson.dumps(document(read(**said)))) == {**LEAST, **said, "price": 12.5}


def test_what_is_empty_is_left_out() -> None:
    assert document(read(attributes={}, description="", price=None)) == LEAST


def test_a_document_shares_nothing_that_can_change_with_its_product() -> None:
    product = read(attributes={"size": "M"})

    document(product)["attributes"]["size"] = "L"

    assert product.attributes == {"size": "M"}
