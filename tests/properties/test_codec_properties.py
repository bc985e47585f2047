"""For every product: written and read again it is the same; for all bytes: reading never raises."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from topics.codec import ProductCodec, encode_product
from topics.events import InvalidEvent, Product, ProductDeletion

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
PRODUCTS = st.builds(
    Product,
    id=TEXT,
    updated_at=st.integers(0, 7_000_000_000_000_000).map(
        lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    ),
    title=TEXT,
    description=st.text(st.characters(exclude_categories=["Cs"]), max_size=100),
    categories=st.lists(TEXT, max_size=3).map(tuple),
    price=st.decimals(0, 10**6, places=2) | st.just(Decimal("0")),
    currency=st.just("CNY"),
    rating=st.none() | st.floats(0, 5),
    attributes=st.dictionaries(TEXT, st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.lists(TEXT), max_size=4),
    language=st.sampled_from(["en", "zh", "zh-Hans", "de-CH", "xx"]),
)


@given(PRODUCTS)
def test_a_product_survives_the_way_through_bytes(product: Product) -> None:
    assert ProductCodec().decode(product.id.encode(), encode_product(product), 0) == product


@given(
    key=st.none() | st.binary(max_size=30),
    value=st.none() | st.binary(max_size=200) | JSON.map(lambda document: json.dumps(document).encode()),
    timestamp=st.integers(0, 2**41),
    header=st.none() | st.binary(max_size=20),
)
def test_reading_never_raises(key: bytes | None, value: bytes | None, timestamp: int, header: bytes | None) -> None:
    headers = None if header is None else {"updated_at_us": header}

    event = ProductCodec().decode(key, value, timestamp, headers)

    assert isinstance(event, Product | ProductDeletion | InvalidEvent)


@given(JSON, JSON)
def test_reading_an_envelope_never_raises(before: object, after: object) -> None:
    value = json.dumps({"op": "u", "before": before, "after": after, "source": before, "ts_ms": after}).encode()

    assert isinstance(ProductCodec().decode(b"k", value, 0), Product | InvalidEvent)
