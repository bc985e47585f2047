"""Which words of a query a product has."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text_analysis import Analyser
from ranking.fusion import Leg, LegHit
from ranking.matching_terms import MatchingTerms
from ranking.queries import SearchHit

ANALYSER = Analyser()
LANGUAGES = st.sampled_from(["en", "de", "fr", "el", "zh-Hans", "ja", "th", ""])


def terms(query: str, asked_in: str = "en", **product: Any) -> list[str]:
    return list(MatchingTerms(ANALYSER, query, asked_in).of(hit(LegHit(1, 2.5, 0.4), **product)))


def hit(found: LegHit, **product: Any) -> SearchHit:
    return SearchHit(1, "p1", 0.4, {"language": "en", **product}, {Leg.KEYWORDS: found})


@pytest.mark.parametrize(
    ("query", "product", "expected"),
    [
        ("red DRESSES", {"title": "Red dress"}, ["red", "DRESSES"]),
        ("dress red", {"title": "Red dress"}, ["dress", "red"]),
        ("red dress", {"title": "Blue dress"}, ["dress"]),
        ("the dress for the party", {"title": "The dress for the office"}, ["dress"]),
        ("loom pockets", {"title": "Dress", "brand": "Loom", "description": "With pockets"}, ["loom", "pockets"]),
        ("wi-fi", {"title": "Router with wi fi"}, ["wi", "fi"]),
        ("women's coat", {"title": "Coat for women"}, ["women's", "coat"]),
        ("Ｄｒｅｓｓ", {"title": "dress"}, ["Ｄｒｅｓｓ"]),
        ("dress dress", {"title": "dress"}, ["dress"]),
        ("red redwood", {"title": "Red redwood"}, ["red", "redwood"]),
        ("lamp", {"title": "Dress"}, []),
        ("", {"title": "Dress"}, []),
    ],
)
def test_words_of_the_query_that_the_product_has(query: str, product: dict[str, str], expected: list[str]) -> None:
    assert terms(query, **product) == expected


def test_chinese_words_and_of_overlapping_ones_the_longer() -> None:
    found = terms("红色手提包", "zh-Hans", title="粉色手提包", language="zh-Hans")
    assert found == ["手提包"]
    assert terms("蓝色T恤", "zh-Hans", title="蓝色圆点T恤", language="zh-Hans") == ["蓝色", "T", "恤"]


def test_what_was_not_found_by_its_words_has_none() -> None:
    assert MatchingTerms(ANALYSER, "dress", "en").of(hit(LegHit(None, None, 0.0), title="Dress")) == ()


def test_a_product_in_another_language_is_analysed_by_its_own() -> None:
    assert terms("Kleider", "de", title="Rotes Kleid", language="de") == ["Kleider"]


@given(st.text("abzXÉüß' -.,手提包红色裙дΣトー3", max_size=30), LANGUAGES)
def test_every_token_of_a_text_stands_for_a_part_of_it(text: str, language: str) -> None:
    assert list(ANALYSER.terms(text, language)) == list(dict.fromkeys(ANALYSER.analyse(text, language).split()))


@given(st.text(max_size=40), LANGUAGES)
def test_a_term_stands_in_the_text_as_it_is(text: str, language: str) -> None:
    assert all(written in text for written in ANALYSER.terms(text, language).values())
