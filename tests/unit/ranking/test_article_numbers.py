"""Who names an article number wants that product first, whatever the other legs think."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from encoders.hash import HashEncoder
from encoders.product_text import text_to_encode
from index.base import TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.fusion import Leg
from ranking.queries import SearchRequest
from ranking.search import Search
from ranking.settings import LegWeights, RankingSettings
from tests.unit.ranking.conftest import UPDATED
from topics.events import Product

PRODUCTS = (
    {"id": "A-100", "title": "Notebook bag", "attributes": {"ean": "0884420588030"}},
    {"id": "A-101", "title": "HP Pavilion DV7-1211ea notebook", "attributes": {"mpn": ["FX 300/B"]}},
    {"id": "A-102", "title": "Dust cover for notebooks", "description": "fits the dv7 1211 ea, dv7 1211 ea and dv7"},
)


@pytest.fixture
def found(encoder: HashEncoder, analyser: Analyser, metrics: Metrics) -> Iterator[Callable[[str], list[str]]]:
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for fields in PRODUCTS:
        product = Product(updated_at=UPDATED, **fields)  # type: ignore[arg-type]
        vectors = {TEXT_FIELD: encoder.encode_texts([text_to_encode(product)])[0]}
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, 1, document(product), words, ContentHashes(), vectors)])
    settings = RankingSettings(text_query=LegWeights(text=1, keywords=1))
    with ExitStack() as opened:
        search = opened.enter_context(closing(Search(index, encoder, encoder, analyser, settings, metrics)))

        def found(text: str) -> list[str]:
            """Those that the leg of article numbers found, and none of them behind another product."""
            products = search.rank(SearchRequest(text=text)).products
            named = [product.product_id for product in products if Leg.IDENTIFIERS in product.legs]
            assert named == [product.product_id for product in products[: len(named)]]
            return named

        yield found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0884420588030", ["A-100"]),
        ("884420588030", ["A-100"]),  # as UPC-A, without the leading zero of its EAN-13
        ("notebook 0 884420 588030", ["A-100"]),
        ("dv7-1211ea", ["A-101"]),
        ("DV71211EA charger", ["A-101"]),
        ("fx300/b", ["A-101"]),
        ("a-102", ["A-102"]),
        ("A 102", []),  # two words
        ("notebook", []),
        ("dv7-1211eb", []),
    ],
)
def test_it_is_found_however_it_is_written(found: Callable[[str], list[str]], text: str, expected: list[str]) -> None:
    assert found(text) == expected
