"""Mistakes and brands in queries, by what the shop's products say."""

from collections.abc import Mapping
from typing import Any

import pytest

from index.text_analysis import Analyser
from ranking.catalogue_words import CatalogueWords
from ranking.query_understanding import QueryUnderstanding
from ranking.settings import UnderstandingSettings

PRODUCTS: list[Mapping[str, Any]] = [
    {"id": "1", "title": "Wireless headphones", "brand": "Sony", "description": "charged by a cable"},
    {"id": "2", "title": "Loudspeaker", "categories": ["Hi-Fi", "Audio"], "attributes": {"material": ["walnut", 3]}},
    {"id": "3", "title": "Fernseher", "language": "de", "brand": "Löwe"},
]


@pytest.fixture
def words(analyser: Analyser) -> CatalogueWords:
    words = CatalogueWords(analyser)
    words.learn(PRODUCTS)
    words.complete()
    return words


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("wirless headphnes", "wireless headphones"),
        ("audoi walnt", "audio walnut"),  # of categories and attributes, too
        ("fernsehr", "fernseher"),
        ("headphone", "headphone"),  # another form of a word that products have
        ("sneakers", "sneakers"),  # an English word that no product has, close to none or not
        ("loudspeakers", "loudspeakers"),
        ("cables", "cables"),
        ("table", "table"),  # close to "cable", and right
        ("wirless 耳机", "wirless 耳机"),
        ("wirless-1000", "wirless-1000"),
    ],
)
def test_only_what_no_product_and_no_dictionary_has_is_corrected(
    words: CatalogueWords, text: str, corrected: str
) -> None:
    assert words.correct(text, "en").text == corrected


def test_nothing_is_corrected_before_every_product_was_seen(analyser: Analyser) -> None:
    words = CatalogueWords(analyser)
    words.learn(PRODUCTS)
    assert words.correct("wirless", "en").text == "wirless"
    assert words.brands("sony tv") == ("Sony",)


def named(title: str, numbers: range) -> list[Mapping[str, Any]]:
    return [{"id": f"{title} {number}", "title": title} for number in numbers]


def test_among_many_products_a_rare_word_is_not_proposed(analyser: Analyser) -> None:
    words = CatalogueWords(analyser)
    words.learn(named("Lamp", range(9_997)))
    words.learn(named("Loudspeaker", range(2)))
    words.complete()
    assert words.correct("lapm lodspeaker", "en").text == "lamp loudspeaker"
    words.learn(named("Lamp", range(9_997, 9_998)))
    assert words.correct("lapm lodspeaker", "en").text == "lamp lodspeaker"
    words.learn(named("Loudspeaker", range(2)))  # they are indexed again: no more products than before
    assert words.correct("lapm lodspeaker", "en").text == "lamp lodspeaker"
    words.learn(named("Loudspeaker", range(2, 3)))
    assert words.correct("lapm lodspeaker", "en").text == "lamp loudspeaker"


def test_products_that_come_again_do_not_make_many(analyser: Analyser) -> None:
    words = CatalogueWords(analyser)
    words.learn([*named("Lamp", range(1)) * 10_000, *named("Loudspeaker", range(1))])
    words.complete()
    assert words.correct("lodspeaker", "en").text == "loudspeaker"


def test_a_word_of_two_languages_has_the_forms_of_both(analyser: Analyser) -> None:
    words = CatalogueWords(analyser)
    words.learn([{"id": "1", "title": "Zorbled", "language": "de"}])
    words.complete()
    assert words.correct("zorbles", "en").text == "zorbled"
    words.learn([{"id": "2", "title": "Zorbled", "language": "en"}])
    assert words.correct("zorbles", "en").text == "zorbles"


def test_a_text_without_spaces_is_no_word(analyser: Analyser) -> None:
    words = CatalogueWords(analyser)
    words.learn([{"id": "1", "title": "无线蓝牙耳机 earphone", "language": "zh"}])
    assert "earphone" in words._vocabulary
    assert "无线蓝牙耳机" not in words._vocabulary


def test_what_comes_later_is_known_from_then_on(words: CatalogueWords) -> None:
    assert words.correct("audioo wirelezz", "en").replaced == (("audioo", "audio"), ("wirelezz", "wireless"))
    words.learn([{"id": "4", "title": "Wirelezz", "brand": "Audioo"}])
    assert words.correct("audioo wirelezz", "en").replaced == ()
    assert words.brands("audioo wirelezz") == ("Audioo",)


def test_the_brand_of_a_product_is_the_one_that_it_has_now(words: CatalogueWords) -> None:
    assert words.of_brands(["1", "2", "3", "unknown"], ["Sony", "Löwe"]) == {"1", "3"}
    words.learn([{"id": "1", "title": "Headphones"}, {"id": "2", "title": "Loudspeaker", "brand": "Sony"}])
    assert words.of_brands(["1", "2", "3"], ["Sony"]) == {"2"}


def test_a_product_that_is_gone_has_no_brand(words: CatalogueWords) -> None:
    words.forget(["1", "unknown"])
    assert words.of_brands(["1", "3"], ["Sony", "Löwe"]) == {"3"}


def test_a_query_says_what_was_corrected_and_which_brands_it_names(words: CatalogueWords) -> None:
    understanding = QueryUnderstanding(UnderstandingSettings(), "en", words)
    understood = understanding.understand("sony headphnes under 50")
    assert (understood.text.strip(), understood.brands) == ("sony headphones", ("Sony",))
    assert understood.corrections == (("headphnes", "headphones"),)
    assert len(understood.phrases) == 1

    as_written = understanding.understand("sony headphnes under 50", as_words=["Headphnes"])
    assert (as_written.text.strip(), as_written.corrections) == ("sony headphnes", ())
    assert len(as_written.phrases) == 1


def test_without_a_catalogue_a_query_stays_as_it_is() -> None:
    understood = QueryUnderstanding(UnderstandingSettings(), "en").understand("sony headphnes")
    assert (understood.text, understood.corrections, understood.brands) == ("sony headphnes", (), ())
