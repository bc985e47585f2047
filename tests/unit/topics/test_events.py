"""What a product event may say: the limits of each field, and the total order of versions."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from topics.codec import ProductCodec
from topics.events import MAX_ID_LENGTH, InvalidEvent, InvalidReason, Product, ProductDeletion, version_of
from topics.mapping import ProductMapping

MINIMAL: dict[str, Any] = {"id": "p1", "title": "Red dress", "updated_at": "2026-01-01T00:00:00Z"}


def product(**fields: Any) -> Product:
    return Product.model_validate(MINIMAL | fields)


@pytest.mark.parametrize("field", ["id", "title", "updated_at"])
def test_what_every_product_must_have(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Product.model_validate({name: value for name, value in MINIMAL.items() if name != field})


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * (MAX_ID_LENGTH + 1)}, "id"),
        ({"id": "a\x00b"}, "id"),
        ({"id": 5}, "id"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 2_001}, "title"),
        ({"description": "x" * 20_001}, "description"),
        ({"price": -0.01, "currency": "EUR"}, "price"),
        ({"price": 1_000_000_000.01, "currency": "EUR"}, "price"),
        ({"price": float("nan"), "currency": "EUR"}, "price"),
        ({"price": float("inf"), "currency": "EUR"}, "price"),
        ({"price": "cheap", "currency": "EUR"}, "price"),
        ({"price": 3}, "currency"),
        ({"price": 3, "currency": "eur"}, "currency"),
        ({"availability": "maybe"}, "availability"),
        ({"rating": 5.1}, "rating"),
        ({"rating": float("nan")}, "rating"),
        ({"rating_count": -1}, "rating_count"),
        ({"rating_count": 2**53 + 1}, "rating_count"),
        ({"image_links": ["gopher://pictures"]}, "image_links"),
        ({"image_links": ["https://a b"]}, "image_links"),
        ({"image_links": ["https://x/" + "y" * 4_000]}, "image_links"),
        ({"image_links": ["https://x/y"] * 21}, "image_links"),
        ({"categories": [""]}, "categories"),
        ({"categories": ["x"] * 21}, "categories"),
        ({"attributes": {"": "x"}}, "attributes"),
        ({"attributes": {"size": None}}, "attributes"),
        ({"attributes": {"size": {"eu": 38}}}, "attributes"),
        ({"attributes": {"weight": float("inf")}}, "attributes"),
        ({"attributes": {"ean": 2**63}}, "attributes"),
        ({"attributes": {"ean": -(2**63) - 1}}, "attributes"),
        ({"attributes": {"ean": 10**400}}, "attributes"),
        ({"attributes": {str(number): 1 for number in range(501)}}, "attributes"),
        ({"language": "english!"}, "language"),
        ({"updated_at": "2026-01-01T00:00:00"}, "updated_at"),
        ({"updated_at": "1969-12-31T23:59:59Z"}, "updated_at"),
        ({"updated_at": "2200-01-01T00:00:00Z"}, "updated_at"),
        ({"updated_at": -1}, "updated_at"),
        ({"updated_at": 1.5}, "updated_at"),
        ({"updated_at": True}, "updated_at"),
        ({"updated_at": 10**400}, "updated_at"),
        ({"stock": 5}, "stock"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_product_may_not_say(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        product(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "x" * MAX_ID_LENGTH},
        {"id": "編號 7/'\"\\"},
        {"title": "x" * 2_000, "description": "y" * 20_000},
        {"price": 0, "currency": "EUR"},
        {"price": "1000000000", "currency": "CNY"},
        {"rating": 0, "rating_count": 2**53},
        {"image_links": ["HTTPS://X/y".replace("HTTPS", "https"), "file:a.png", "data:image/png;base64,AAAA"]},
        {"language": "zh-Hans-CN"},
        {"language": "xx"},
        {"attributes": {"size": "M", "waterproof": True, "weight": 1.5, "pieces": 3, "colours": ["red", "blue"]}},
        {"attributes": {"low": -(2**63), "high": 2**63 - 1, "much": 1e300}},
        {"updated_at": 0},
        {"updated_at": "2199-12-31T23:59:59.999999Z"},
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_a_product_may_say(fields: dict[str, Any]) -> None:
    said = product(**fields).model_dump()

    assert all(name in said for name in fields)


def test_a_product_is_in_stock_and_english_unless_it_says_otherwise() -> None:
    assert (product().availability, product().language, product().price) == ("in_stock", "en", None)


def test_names_lose_the_space_around_them() -> None:
    assert product(title=" Red dress ", brand=" Acme ", categories=[" Dresses "]).model_dump(
        include={"title", "brand", "categories"}
    ) == {"title": "Red dress", "brand": "Acme", "categories": ("Dresses",)}


def test_a_price_is_exact() -> None:
    assert product(price="19.99", currency="EUR").price == Decimal("19.99")


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, MOMENTS)
def test_versions_are_ordered_as_their_times(one: datetime, other: datetime) -> None:
    assert (version_of(one) < version_of(other)) == (one < other)
    assert (version_of(one) == version_of(other)) == (one == other)


@given(MOMENTS, ZONES)
def test_a_version_does_not_depend_on_how_its_time_is_written(moment: datetime, zone: timezone) -> None:
    written = product(updated_at=moment.astimezone(zone).isoformat())

    assert written.version == version_of(moment)


@given(st.integers(0, 7_258_118_399_999))
def test_integers_are_milliseconds_whatever_their_size(milliseconds: int) -> None:
    assert product(updated_at=milliseconds).version == milliseconds * 1_000


TOMBSTONE_KEYS = [b'{"payload": 5}', b'{"payload": null}', b'{"payload": [1]}', b'{"price": "x"}', b"{", b"{}"]


@pytest.mark.parametrize("mapping", [ProductMapping(), ProductMapping(fields={"id": "id", "price": "price"})])
@pytest.mark.parametrize("key", TOMBSTONE_KEYS)
def test_a_key_that_looks_like_a_struct_and_is_none_is_taken_as_it_is(key: bytes, mapping: ProductMapping) -> None:
    """An exception here would stop the stream at this record for ever."""
    codec = ProductCodec(mapping)

    deleted = codec.decode(key, None, 5)
    mismatched = codec.decode(key, product().model_dump_json().encode(), 5)

    assert deleted == ProductDeletion(key.decode(), 5_000, dated=False)
    assert isinstance(mismatched, InvalidEvent)
    assert mismatched.reason is InvalidReason.KEY_MISMATCH


@pytest.mark.parametrize("key", [None, b"", b"\x00", b"a\nb", b"\xff\xfe", b"x" * (MAX_ID_LENGTH + 1)])
def test_a_tombstone_needs_a_key_that_could_be_a_products_id(key: bytes | None) -> None:
    event = ProductCodec().decode(key, None, 5)

    assert isinstance(event, InvalidEvent)
    assert event.reason is InvalidReason.MISSING_KEY
