"""Who names a brand sees its products before like ones of others."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from encoders.hash import HashEncoder
from encoders.product_text import text_to_encode
from index.base import TEXT_FIELD, ContentHashes, Filter, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.catalogue_words import CatalogueWords
from ranking.fusion import Leg
from ranking.queries import SearchRequest
from ranking.search import Search
from ranking.settings import LegWeights, RankingSettings
from tests.unit.ranking.conftest import UPDATED
from topics.events import Product

SETTINGS = RankingSettings(text_query=LegWeights(text=0.85, keywords=0.15), text_floor=0.2)
PRODUCTS = (
    *((f"other-{number}", "Slim bright monitor which fits Asus notebooks", "Neomounts") for number in range(3)),
    ("vx", "Slim bright monitor, 27 inches", "ASUS"),
    ("zen", "Zenbook notebook with 14 inches", "ASUS"),
)


@pytest.fixture
def search(encoder: HashEncoder, analyser: Analyser, metrics: Metrics) -> Iterator[Search]:
    index, words = MemoryIndex(encoder.dimension), CatalogueWords(analyser)
    for id_, title, brand in PRODUCTS:
        product = Product(id=id_, title=title, brand=brand, updated_at=UPDATED)
        vectors = {TEXT_FIELD: encoder.encode_texts([text_to_encode(product)])[0]}
        row = ProductRow(id_, 1, document(product), keywords(product, analyser), ContentHashes(), vectors)
        index.apply([row])
    words.learn(index.scan())
    with closing(Search(index, encoder, encoder, analyser, SETTINGS, metrics, words)) as search:
        yield search


def test_products_of_the_brand_come_before_like_ones(search: Search) -> None:
    answer = search.search(SearchRequest("asus monitor"))
    assert answer.understood.brands == ("ASUS",)
    assert answer.hits[0].product_id == "vx"
    assert answer.hits[0].legs[Leg.BRANDS].rank == 1
    assert Leg.BRANDS not in answer.hits[1].legs or answer.hits[1].product_id == "zen"


def test_a_reader_who_takes_words_as_they_are_gets_no_brand_first(search: Search) -> None:
    answer = search.search(SearchRequest("asus monitor", interpret=False))
    assert answer.understood.brands == ()
    assert answer.hits[0].product_id.startswith("other-")


def test_the_brand_widens_no_filter_and_counts_as_before(search: Search) -> None:
    filters = [Filter("brand", any_of=("Neomounts",))]
    answer = search.search(SearchRequest("asus monitor", filters=filters, facets=["brand"]))
    assert {hit.product_id for hit in answer.hits} == {"other-0", "other-1", "other-2"}
    (facet,) = answer.facets
    counts = {one.value: one.count for one in facet.values}
    assert counts["Neomounts"] == 3
    assert counts["ASUS"] >= 1
