"""Which products match, how many, in which order, and what they have: the search as a shopper narrows it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import numpy as np
import pytest
from numpy.typing import NDArray

from index.base import TEXT_FIELD, ContentHashes, Filter, ProductRow, Tombstone
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.queries import InvalidQueryError, SearchAnswer, SearchRequest, Sort, Total
from ranking.search import Search
from ranking.settings import LegWeights, RankingSettings

PRODUCTS = 40
FLOOR = 0.5

SearchFor = Callable[..., SearchAnswer]


class Dial:
    """A text encoder whose query points along the first axis, so that a product's first number is its cosine."""

    release = "dial@1"
    dimension = 2
    batch_size = 1

    def understands(self, _: str) -> bool:
        return True

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        return np.array([[1.0, 0.0]] * len(texts), np.float32)

    encode_images = encode_texts


@pytest.fixture
def index() -> MemoryIndex:
    """p0 is the most similar one to any query; those from p20 on are below the floor. p39 alone has the word `rare`."""
    index = MemoryIndex(2, None)
    for number in range(PRODUCTS):
        cosine = 1 - number / PRODUCTS
        document = {
            "id": f"p{number}",
            "brand": "Loom" if number % 4 else "Lux",
            "price": float((number * 7) % PRODUCTS),
            "updated_at": f"2026-11-01T00:{number:02}:00Z",
        }
        vector = np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)
        words = "rare" if number == 39 else "plain"
        index.apply([ProductRow(f"p{number}", 1, document, words, ContentHashes(), {TEXT_FIELD: vector})])
    return index


@pytest.fixture
def search_for(index: MemoryIndex, analyser: Analyser, metrics: Metrics) -> Iterator[SearchFor]:
    with ExitStack() as opened:

        def search_for(text: str, candidates: int = 100, **request: object) -> SearchAnswer:
            weights = LegWeights(text=0.9, keywords=0.1)
            settings = RankingSettings(text_query=weights, text_floor=FLOOR, candidates=candidates)
            search = Search(index, Dial(), Dial(), analyser, settings, metrics)  # type: ignore[arg-type]
            return opened.enter_context(closing(search)).search(SearchRequest(text=text, **request))  # type: ignore[arg-type]

        yield search_for


def ids(answer: SearchAnswer) -> list[str]:
    return [hit.product_id for hit in answer.hits]


def test_what_is_similar_enough_or_has_a_word_of_the_query_matches(search_for: SearchFor) -> None:
    answer = search_for("rare", limit=100)

    assert set(ids(answer)) == {f"p{number}" for number in range(21)} | {"p39"}
    assert (answer.total, answer.nearest) == (Total(22, exact=True), False)


def test_where_nothing_matches_the_nearest_are_shown_and_called_so(search_for: SearchFor) -> None:
    answer = search_for("nowhere", filters=[Filter("id", any_of=("p30", "p35"))], facets=["brand"])

    assert ids(answer) == ["p30", "p35"]
    assert (answer.total, answer.nearest) == (Total(0, exact=True), True)
    assert answer.facets[0].values == []


@pytest.mark.parametrize("filters", [[("price", 20, 10)], [("price", 1000, None)]])
def test_where_nothing_is_left_nothing_is_nearest(
    search_for: SearchFor, filters: list[tuple[str, float, float | None]]
) -> None:
    answer = search_for("nowhere", filters=[Filter(name, (), low, high) for name, low, high in filters])

    assert (answer.hits, answer.total, answer.nearest) == ([], Total(0, exact=True), False)


def test_a_total_that_may_be_larger_says_so(search_for: SearchFor) -> None:
    assert search_for("nowhere", candidates=10).total == Total(10, exact=False)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("candidates", [5, 100])
def test_pages_neither_repeat_nor_skip(search_for: SearchFor, sort: Sort, candidates: int) -> None:
    pages = [
        search_for("nowhere", candidates=candidates, sort=sort, limit=3, offset=offset) for offset in range(0, 30, 3)
    ]

    shown = [product_id for page in pages for product_id in ids(page)]
    assert sorted(shown) == sorted(f"p{number}" for number in range(21))
    assert [hit.position for page in pages for hit in page.hits] == list(range(1, 22))


def test_each_order_is_that_of_all_matches(search_for: SearchFor, index: MemoryIndex) -> None:
    matches = [f"p{number}" for number in range(21)]
    prices = {product_id: found["price"] for product_id, found in index.documents(matches).items()}

    assert ids(search_for("nowhere", limit=5)) == matches[:5]
    assert ids(search_for("nowhere", limit=5, sort=Sort.NEWEST)) == matches[:-6:-1]
    assert ids(search_for("nowhere", limit=30, sort=Sort.PRICE_ASCENDING)) == sorted(matches, key=prices.__getitem__)


def test_each_value_of_a_facet_finds_as_many_as_it_says(search_for: SearchFor) -> None:
    [brands, prices] = search_for("nowhere", facets=["brand", "price"]).facets

    assert {value.value: value.count for value in brands.values} == {"Loom": 15, "Lux": 6}
    for value in brands.values:
        chosen = Filter("brand", any_of=(value.value,))
        assert search_for("nowhere", filters=[chosen]).total == Total(value.count, exact=True)
    assert (prices.lowest, prices.highest) == (0, 39)


def test_the_facet_of_a_chosen_value_tells_what_the_other_values_would_find(search_for: SearchFor) -> None:
    chosen = [Filter("brand", any_of=("Lux",)), Filter("price", at_most=20)]

    [brands, prices] = search_for("nowhere", filters=chosen, facets=["brand", "price"]).facets

    cheap = search_for("nowhere", filters=chosen[1:], facets=["brand"])
    assert brands == cheap.facets[0]
    assert len(brands.values) == 2
    assert prices.highest > 20  # type: ignore[operator]


def test_a_deleted_product_is_in_no_page_and_no_count(search_for: SearchFor, index: MemoryIndex) -> None:
    index.apply([Tombstone("p0", 2)])

    answer = search_for("nowhere", facets=["brand"], limit=100)

    assert "p0" not in ids(answer)
    assert sum(value.count for value in answer.facets[0].values) == answer.total.matches == 20


def test_a_facet_of_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidQueryError, match="colour"):
        SearchRequest(text="dress", facets=["colour"])
