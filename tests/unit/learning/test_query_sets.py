"""Queries by words and pictures, put to the search that serves."""

from collections.abc import Iterator

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from encoders.hash import HashEncoder
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, Filter, ProductRow
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from learning.qrels import Judgments
from learning.query_sets import QueryPicture, QuerySet, full_query_run, judged_query_run
from learning.relevance import RelevanceOptions
from monitoring.metrics import create_metrics
from ranking.search import Search
from ranking.settings import RankingSettings

COLOURS = {"red": (220, 20, 20), "dark red": (150, 10, 10), "blue": (20, 20, 220), "green": (20, 200, 20)}
OPTIONS = RelevanceOptions(resamples=50)


def picture_of(colour: str) -> QueryPicture:
    return QueryPicture(f"{colour}.jpg", lambda: Image.new("RGB", (32, 32), COLOURS[colour]))


@pytest.fixture(scope="module")
def search() -> Iterator[Search]:
    encoder = HashEncoder()
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for colour in COLOURS:
        vectors = {
            TEXT_FIELD: encoder.encode_texts([colour])[0],
            IMAGE_FIELD: encoder.encode_images([picture_of(colour).load()])[0],
        }
        document = {"id": colour, "brand": "Red Ltd" if "red" in colour else "Others"}
        index.apply([ProductRow(colour, 1, document, colour, ContentHashes(), vectors)])
    search = Search(index, encoder, encoder, Analyser(), RankingSettings(), create_metrics(CollectorRegistry()))
    yield search
    search.close()


def test_a_picture_finds_its_product_and_r_at_k_says_so(search: Search) -> None:
    queries = QuerySet(
        "photos",
        Judgments({"1": {"blue": 2}, "2": {"dark red": 1, "green": 2}}, {}),
        measures={"fine": "Success(rel=2)@1", "coarse": "Success(rel=1)@1"},
        pictures={"1": picture_of("blue"), "2": picture_of("dark red")},
    )

    report = queries.report(full_query_run(search, queries, None, 10), OPTIONS)

    assert list(report.values["fine"]) == [1, 0]
    assert list(report.values["coarse"]) == [1, 1]
    assert report.intervals["fine"].mean == 0.5
    assert queries.label("2") == "dark red.jpg"


def test_the_query_s_own_product_is_not_found(search: Search) -> None:
    judgments = Judgments({"1": {"dark red": 1}}, {})
    queries = QuerySet("others", judgments, pictures={"1": picture_of("red")}, own={"1": "red"})

    [(product, _), *_] = full_query_run(search, queries, None, 2)["1"]

    assert product == "dark red"


def test_a_set_s_filters_and_its_judged_products_bound_what_is_found(search: Search) -> None:
    judgments = Judgments({"1": {"red": 3, "blue": 0}}, {"1": "red"})
    filtered = QuerySet("text", judgments, filters=[Filter("brand", any_of=("Others",))])

    assert {product for product, _ in full_query_run(search, filtered, None, 10)["1"]} <= {"blue", "green"}
    assert {product for product, _ in judged_query_run(search, filtered, None)["1"]} <= {"red", "blue"}
