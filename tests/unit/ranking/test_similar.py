"""Products like a given one, by what the index holds of it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from encoders.hash import HashEncoder
from index.base import Filter, Tombstone
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.fusion import Leg
from ranking.search import Search
from ranking.settings import RankingSettings
from ranking.similar import SimilarRequest


@pytest.fixture
def search(index: MemoryIndex, encoder: HashEncoder, analyser: Analyser, metrics: Metrics) -> Iterator[Search]:
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), metrics)) as search:
        yield search


def test_the_nearest_others_are_found_and_never_the_product_itself(search: Search) -> None:
    hits = search.similar(SimilarRequest("dress"))

    assert hits is not None
    assert {hit.product_id for hit in hits} == {"shirt", "lamp", "连衣裙"}
    assert [hit.position for hit in hits] == [1, 2, 3]
    assert hits[0].legs.keys() == {Leg.TEXT, Leg.IMAGE}
    assert hits[0].document["title"]


def test_one_without_a_picture_is_compared_by_its_text(search: Search) -> None:
    hits = search.similar(SimilarRequest("lamp"))

    assert hits is not None
    assert {leg for hit in hits for leg in hit.legs} == {Leg.TEXT}


def test_filters_and_the_limit_are_kept(search: Search) -> None:
    cheap = Filter("price", at_most=40)

    hits = search.similar(SimilarRequest("dress", limit=1, filters=[cheap]))

    assert hits is not None
    assert [hit.document["price"] <= 40 for hit in hits] == [True]


def test_of_a_product_that_is_not_there_or_deleted_there_is_nothing(search: Search, index: MemoryIndex) -> None:
    index.apply([Tombstone("shirt", 2**60)])

    assert search.similar(SimilarRequest("shirt")) is None
    assert search.similar(SimilarRequest("never was")) is None
