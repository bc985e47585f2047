"""Searches in the order for one shopper."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from encoders.hash import HashEncoder
from feedback.store import StoreUnavailable
from index.base import ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.availability import Availability
from ranking.candidates import Ranking
from ranking.fusion import FusedProduct
from ranking.hand_set import HandSetRanker
from ranking.queries import SearchAnswer, SearchRequest, Sort, Visit
from ranking.query_understanding import UnderstoodQuery
from ranking.reranking import NOT_READ, Reranker
from ranking.search import Search
from ranking.search_reranking import SearchReranker
from ranking.settings import RankingSettings
from ranking.stock import Stock
from tests.unit.ranking.conftest import UPDATED
from tests.unit.ranking.taste_features import DECLARED, TasteFeatures
from topics.events import Product

ADA = Visit("q-1", UPDATED.timestamp(), shopper="ada", session="s", context={"place": "Ulm"})
SHOP = {"a": "linen dress", "b": "linen dress red", "c": "dress", "d": "linen dress red long"}
MakeSearch = Callable[..., Search]


@pytest.fixture
def shop(encoder: HashEncoder, analyser: Analyser) -> MemoryIndex:
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for number, (product_id, title) in enumerate(SHOP.items()):
        product = Product.model_validate(
            {"id": product_id, "updated_at": UPDATED, "title": title, "price": 10 + number, "currency": "EUR"}
            | ({"availability": "out_of_stock"} if product_id == "a" else {})
        )
        vectors = {"text_vector": encoder.encode_texts([title])[0]}
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
    return index


@pytest.fixture
def make_search(shop: MemoryIndex, encoder: HashEncoder, analyser: Analyser, metrics: Metrics) -> Iterator[MakeSearch]:
    opened = ExitStack()

    def make(features: Any = None, **changed: Any) -> Search:
        weights = {"score": 1.0, "position": -0.001, "taste": 1.0}
        options = RankingSettings.model_validate({"reranking": {"features": DECLARED, "weights": weights} | changed})
        reranker = None
        if features is not None:
            reranker = make_reranker(features, options, metrics)
        search = Search(shop, encoder, encoder, analyser, options, metrics, reranker=reranker)
        opened.callback(search.close)
        return search

    with opened:
        yield make


def make_reranker(features: Any, options: RankingSettings, metrics: Metrics) -> Reranker:
    ranker = HandSetRanker(options.reranking.weights)
    return Reranker(features, ranker, options.reranking, Availability(options.availability), Stock(), metrics)


def ids(answer: SearchAnswer) -> list[str]:
    return [hit.product_id for hit in answer.hits]


def asked(visit: Visit | None = ADA, **rest: Any) -> SearchRequest:
    return SearchRequest("linen dress", visit=visit, **rest)


def test_nothing_known_changes_nothing(make_search: MakeSearch) -> None:
    plain = make_search().search(asked())
    assert ids(plain) == ["b", "c", "d", "a"], "out of stock comes last"
    nobody = make_search(TasteFeatures()).search(asked(Visit("q", 0.0)))
    assert [(hit.product_id, hit.score, hit.position) for hit in nobody.hits] == [
        (hit.product_id, hit.score, hit.position) for hit in plain.hits
    ]
    assert nobody.total == plain.total


@given(st.lists(st.floats(-1, 1), max_size=12), st.integers(1, 12))
@settings(max_examples=50)
def test_whatever_was_found_keeps_its_order_of_whom_nothing_is_known(found: Sequence[float], depth: int) -> None:
    options = RankingSettings.model_validate({"reranking": {"depth": depth}})
    reranker = make_reranker(TasteFeatures(), options, Mock())
    products = [FusedProduct(f"p{place}", score, {}) for place, score in enumerate(found)]  # scores rise and fall
    ranking = Ranking(SearchRequest("x"), UnderstoodQuery("x", "en", (), ()), products)
    order = SearchReranker(reranker, options).in_order(ranking, asked())
    assert order.ranking.products == products


def test_what_the_shopper_likes_comes_first_but_what_is_out_of_stock_stays_last(make_search: MakeSearch) -> None:
    features = TasteFeatures(likes={"d": 5.0, "a": 9.0})
    answer = make_search(features).search(asked())
    assert ids(answer) == ["d", "b", "c", "a"]
    assert [hit.position for hit in answer.hits] == [1, 2, 3, 4]
    assert answer.hits[0].ranked is not None
    assert answer.hits[0].ranked.candidate.position == 3
    assert answer.hits[3].ranked is None
    assert [hit.behind for hit in answer.hits] == ["", "", "", "out_of_stock"]
    (situation,) = features.asked
    assert (situation.shopper, situation.session, situation.text, situation.kind, situation.language) == (
        "ada",
        "s",
        "linen dress",
        "text",
        "en",
    )
    assert (situation.at, situation.context) == (UPDATED.timestamp(), {"place": "Ulm"})


def test_pages_go_on_where_the_one_before_ended(make_search: MakeSearch) -> None:
    search = make_search(TasteFeatures(likes={"d": 5.0}, bought={"b"}))
    pages = [search.search(asked(limit=1, offset=offset)) for offset in range(4)]
    assert [ids(page) for page in pages] == [["d"], ["c"], ["a"], []]
    assert {page.total.matches for page in pages} == {3}


@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.PRICE_DESCENDING])
def test_what_is_learnt_between_two_pages_shows_no_product_twice_and_skips_none(
    make_search: MakeSearch, sort: Sort
) -> None:
    features = TasteFeatures(likes={"d": 5.0}, hidden={"c"})
    search = make_search(features)
    whole = ids(search.search(asked(sort=sort)))
    pages = ids(search.search(asked(sort=sort, limit=1)))
    features.likes, features.bought, features.hidden = {"a": 1.0, "b": 9.0}, {whole[0], whole[1]}, set()
    nobody_sees = Visit("q-2", UPDATED.timestamp(), shopper="ada", session="s", is_shown=False)
    search.search(asked(nobody_sees, sort=sort, limit=1))
    for offset in (1, 2, 3):
        pages += ids(search.search(asked(sort=sort, limit=1, offset=offset)))
    assert pages == whole
    assert sorted(pages) == ["a", "b", "d"]
    assert whole[0] not in ids(search.search(asked(sort=sort))), "a list that begins anew knows it"


def test_what_was_bought_leaves_whatever_the_order(make_search: MakeSearch) -> None:
    search = make_search(TasteFeatures(bought={"b"}, hidden={"a"}))
    assert ids(search.search(asked(sort=Sort.PRICE_DESCENDING))) == ["d", "c"]
    assert ids(search.search(asked(facets=["price"]))) == ["c", "d"]


def test_without_a_visit_all_see_the_same(make_search: MakeSearch) -> None:
    features = TasteFeatures(likes={"d": 5.0})
    assert ids(make_search(features).search(asked(None))) == ["b", "c", "d", "a"]
    assert ids(make_search(features, in_search=False).search(asked())) == ["b", "c", "d", "a"]
    assert features.asked == []


def test_a_search_goes_on_while_nothing_can_be_read_of_shoppers(
    make_search: MakeSearch, registry: CollectorRegistry
) -> None:
    away = Mock(input=Mock(side_effect=StoreUnavailable("redis does not answer")))
    answer = make_search(away).search(asked())
    assert (ids(answer), answer.notes) == (["b", "c", "d", "a"], [NOT_READ])
    assert registry.get_sample_value("millrace_rerankings_total", {"outcome": "store_unavailable"}) == 1


def test_a_page_that_is_drawn_by_lot_tells_its_chances(make_search: MakeSearch) -> None:
    search = make_search(TasteFeatures(), exploration={"share": 1.0, "places": 2})
    orders = set()
    for number in range(12):
        answer = search.search(asked(Visit(f"q{number}", 0.0), limit=3))
        orders.add(tuple(ids(answer)))
        assert [hit.ranked.propensity for hit in answer.hits if hit.ranked] == [0.5, 0.5, 1.0]
    assert orders == {("b", "c", "d"), ("c", "b", "d")}
    second = search.search(asked(Visit("q1", 0.0), limit=2, offset=2))
    assert ids(second) == ["d", "a"]
