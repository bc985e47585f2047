"""For every history of changes, however it is cut, overlapped and repeated: the index ends with the newest versions."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, TEXT_FIELD, VectorQuery
from tests.unit.streams.conftest import Bench, FixedRecord, deletion, picture, product
from topics.codec import ProductCodec
from topics.events import Product

PICTURES = {colour: picture(colour) for colour in ("red", "green", "blue")}
RECORDS = st.one_of(
    st.builds(
        lambda product_id, version, title, price, colour: product(
            product_id,
            version,
            title=title,
            price=price,
            currency="EUR",
            image_links=[PICTURES[colour]] if colour else [],
        ),
        st.sampled_from("abc"),
        st.integers(1, 6),
        st.sampled_from(["one", "two"]),
        st.integers(1, 3),
        st.sampled_from([*PICTURES, ""]),
    ),
    st.builds(deletion, st.sampled_from("abc"), st.integers(1, 6)),
)


def newest(history: list[FixedRecord]) -> dict[str, object]:
    """First event of the highest version of each product: an equal version never overwrites."""
    codec = ProductCodec()
    held: dict[str, object] = {}
    for record in history:
        event = codec.decode(record.key, record.value, record.timestamp, dict(record.headers))
        assert hasattr(event, "version")
        if event.id not in held or event.version > held[event.id].version:  # type: ignore[attr-defined]
            held[event.id] = event
    return held


@settings(max_examples=150, deadline=None)
@given(history=st.lists(RECORDS, max_size=25), data=st.data())
def test_the_index_ends_with_the_newest_version_of_every_product(
    history: list[FixedRecord], data: st.DataObject
) -> None:
    bench = Bench()
    prepared: deque[object] = deque()
    left = history + history[: data.draw(st.integers(0, len(history)), label="repeated after a crash")]
    while left or prepared:
        if left and len(prepared) < 3 and (not prepared or data.draw(st.booleans(), label="read on")):
            size = data.draw(st.integers(1, 4), label="batch")
            batch, left = left[:size], left[size:]
            prepared.append(bench.indexer.prepare(batch, 0.0))
        else:
            work = bench.indexer.write(bench.indexer.encode(prepared.popleft()))  # type: ignore[arg-type]
            assert not work.tasks

    for product_id, event in newest(history).items():
        state = bench.index.states([product_id])[product_id]
        assert state.version == event.version  # type: ignore[attr-defined]
        assert state.deleted == (not isinstance(event, Product))
        if isinstance(event, Product):
            _assert_searchable(bench, event)


def _assert_searchable(bench: Bench, event: Product) -> None:
    document = bench.index.documents([event.id])[event.id]
    assert document["price"] == float(event.price or 0)
    assert document["title"] == event.title
    text = bench.encoder.encode_texts([text_to_encode(event)])[0]
    scores = {hit.product_id: hit.score for hit in bench.index.search(VectorQuery(TEXT_FIELD, text), 10)}
    assert scores[event.id] == pytest.approx(1.0, abs=1e-5)
    pictured = {hit.product_id for hit in bench.index.search(VectorQuery(IMAGE_FIELD, text), 10)}
    assert (event.id in pictured) == bool(event.image_links)
