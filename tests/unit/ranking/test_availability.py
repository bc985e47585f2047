"""Where products stand that cannot be bought now."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from encoders.hash import HashEncoder
from encoders.product_text import text_to_encode
from index.base import TEXT_FIELD, ContentHashes, Filter, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.queries import SearchAnswer, SearchRequest, Sort
from ranking.search import Search
from ranking.settings import AvailabilityRules, RankingSettings
from ranking.similar import SimilarRequest
from topics.events import Product

STOCK = {
    "LD-4711": ("red linen dress", "out_of_stock"),
    "ended": ("red linen dress with belt", "discontinued"),
    "soon": ("red dress", "preorder"),
    "here": ("dress", "in_stock"),
}


@pytest.fixture
def search_with(encoder: HashEncoder, analyser: Analyser, metrics: Metrics) -> Any:
    """An answer under these rules."""
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    index.apply([row(product_id, *what, encoder, analyser) for product_id, what in STOCK.items()])

    def answer(rules: Mapping[str, str], text: str = "red linen dress", **options: Any) -> SearchAnswer:
        settings = RankingSettings(availability=AvailabilityRules.model_validate(rules))
        with closing(Search(index, encoder, encoder, analyser, settings, metrics)) as search:
            return search.search(SearchRequest(text=text, **options))

    return answer


@pytest.fixture
def found(search_with: Any) -> Any:
    return lambda *asked, **options: [hit.product_id for hit in search_with(*asked, **options).hits]


def row(product_id: str, title: str, availability: str, encoder: HashEncoder, analyser: Analyser) -> ProductRow:
    product = Product.model_validate(
        {"id": product_id, "updated_at": datetime(2026, 11, 1, tzinfo=UTC), "title": title, "price": len(title),
         "currency": "EUR", "availability": availability}
    )  # fmt: skip
    vectors = {TEXT_FIELD: encoder.encode_texts([text_to_encode(product)])[0]}
    return ProductRow(
        product_id, product.version, document(product), keywords(product, analyser), ContentHashes(), vectors
    )


def test_what_is_sold_out_or_ended_comes_after_what_can_be_had(found: Any) -> None:
    assert found({"out_of_stock": "shown", "discontinued": "shown"})[0] == "LD-4711"
    assert found({}) == ["soon", "here", "LD-4711", "ended"]


def test_what_is_hidden_is_not_found(found: Any) -> None:
    assert found({"discontinued": "hidden", "preorder": "hidden"}) == ["here", "LD-4711"]


def test_who_filters_by_availability_sees_what_is_hidden_else(found: Any) -> None:
    ended = [Filter("availability", any_of=("discontinued",))]
    assert found({"discontinued": "hidden"}, filters=ended) == ["ended"]


def test_who_names_an_article_number_sees_that_product_first(found: Any) -> None:
    assert found({}, text="linen dress")[0] != "LD-4711"
    assert found({}, text="LD-4711")[0] == "LD-4711"


def test_a_wish_for_another_order_counts_for_all(found: Any) -> None:
    assert found({}, sort=Sort.PRICE_DESCENDING) == ["ended", "LD-4711", "soon", "here"]


def test_the_facet_of_availability_counts_what_is_hidden_once_it_is_asked_for(search_with: Any) -> None:
    ended = [Filter("availability", any_of=("discontinued",))]
    (facet,) = search_with({"discontinued": "hidden"}, filters=ended, facets=["availability"]).facets
    assert {one.value: one.count for one in facet.values}["discontinued"] == 1
    (others,) = search_with({"discontinued": "hidden"}, facets=["availability"]).facets
    assert "discontinued" not in {one.value for one in others.values}


def test_what_stands_behind_the_others_says_why_where_that_decides(search_with: Any) -> None:
    assert [hit.behind for hit in search_with({}).hits] == ["", "", "out_of_stock", "discontinued"]
    assert {hit.behind for hit in search_with({}, sort=Sort.PRICE_ASCENDING).hits} == {""}
    assert search_with({}, "LD-4711").hits[0].behind == "", "who names a number sees it first"


def test_a_similar_product_that_stands_behind_the_others_says_why(
    encoder: HashEncoder, analyser: Analyser, metrics: Metrics
) -> None:
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    index.apply([row(product_id, *what, encoder, analyser) for product_id, what in STOCK.items()])
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), metrics)) as search:
        hits = search.similar(SimilarRequest("soon"))
    assert hits is not None
    assert {hit.product_id: hit.behind for hit in hits} == {
        "here": "",
        "LD-4711": "out_of_stock",
        "ended": "discontinued",
    }


def test_the_reason_is_the_availability_by_which_it_was_placed_though_it_is_restocked_meanwhile(
    encoder: HashEncoder, analyser: Analyser, metrics: Metrics
) -> None:
    class Restocked(MemoryIndex):
        def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
            held = super().documents(product_ids)
            return {product_id: {**content, "availability": "in_stock"} for product_id, content in held.items()}

    index = Restocked(encoder.dimension, encoder.dimension)
    index.apply([row(product_id, *what, encoder, analyser) for product_id, what in STOCK.items()])
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), metrics)) as search:
        hits = search.search(SearchRequest(text="red linen dress")).hits
    assert [hit.behind for hit in hits] == ["", "", "out_of_stock", "discontinued"]
