"""Unknown words of a query, and the catalogue's words close to them."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.spelling import Correction, SpellingVocabulary

WORDS = {
    **{"wireless": 40, "headphones": 30, "dress": 50, "press": 90, "shoes": 20, "shows": 5, "lamp": 9, "red": 70},
    **{"stand": 10, "brand": 80, "garden": 3, "warden": 30, "коляска": 4, "café": 2, "iphone": 10, "don't": 1},
}
VOCABULARY = SpellingVocabulary(WORDS)


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        *(("wirless", "wireless"), ("haedphnoes", "headphones"), ("headphoens", "headphones"), ("lapm", "lamp")),
        *(("каляска", "коляска"), ("cafe", "café"), ("LAMPP", "lamp"), ("ｌａｍｐｐ", "lamp"), ("dont", "don't")),
    ],
)
def test_a_word_close_to_a_known_one_becomes_it(word: str, nearest: str) -> None:
    assert VOCABULARY.nearest(word) == nearest


def test_the_first_letter_stays_and_of_short_words_the_length() -> None:
    assert VOCABULARY.nearest("srand") == "stand"
    assert VOCABULARY.nearest("xress") is None
    assert SpellingVocabulary({"men": 9, "lamb": 1, "lamps": 9}).nearest("lamo") == "lamb"


def test_a_closer_word_comes_before_a_more_frequent_one() -> None:
    assert SpellingVocabulary({"headphone": 90, "headphones": 1}).nearest("headphnes") == "headphones"


@pytest.mark.parametrize(
    "word",
    [
        "red",
        "rad",
        "dress",
        "DRESS",
        "iphone12",
        "lam",
        "lapms",
        "shoebox",
        "headphonse" + "x" * 3,
        "连衣裙",
        "鞋子",
        "รองเท้า",
    ],
)
def test_what_is_known_short_far_or_no_word_stays(word: str) -> None:
    assert VOCABULARY.nearest(word) is None


def test_a_text_keeps_all_but_the_words_replaced() -> None:
    correction = VOCABULARY.correct("Red  Wirless-headphnes, 连衣裙 mp3x iphnoe!")
    assert correction == Correction(
        "Red  wireless-headphones, 连衣裙 mp3x iphone!",
        (("Wirless", "wireless"), ("headphnes", "headphones"), ("iphnoe", "iphone")),
    )


def test_what_stands_with_a_digit_names_an_article() -> None:
    assert VOCABULARY.correct("wirless-1000 lapm-x2 lapm").replaced == (("lapm", "lamp"),)


def test_words_that_are_right_elsewhere_stay() -> None:
    assert VOCABULARY.correct("wirless lapm", {"wirless"}.__contains__).text == "wirless lamp"


def test_words_can_be_added() -> None:
    vocabulary = SpellingVocabulary({"lamp": 1})
    assert vocabulary.nearest("stoox") is None
    vocabulary.add({"stool": 1})
    assert vocabulary.nearest("stoox") == "stool"
    vocabulary.add({"stoox": 1})
    assert vocabulary.nearest("stoox") is None


def test_a_text_of_unknown_words_is_not_searched_without_end() -> None:
    assert len(VOCABULARY.correct("wirless " * 100).replaced) == 16


def test_words_that_differ_in_form_alone_are_one() -> None:
    vocabulary = SpellingVocabulary({"Stool": 2, "stool": 3, "stood": 4})
    assert vocabulary.nearest("stoox") == "stool"


def test_nothing_is_corrected_without_a_catalogue() -> None:
    assert SpellingVocabulary({}).correct("wirless") == Correction("wirless", ())


@given(st.text() | st.lists(st.sampled_from(["wirless", "lamp", "\x00", "连", "'", "_", "4", "ﬁ"])).map("".join))
def test_any_text_is_corrected_to_known_words(text: str) -> None:
    correction = VOCABULARY.correct(text)
    assert {after for _, after in correction.replaced} <= set(WORDS)
    assert (correction.text == text) == (not correction.replaced)


def test_several_threads_correct_alike() -> None:
    words = ["wirless", "haedphnoes", "lapm", "garten", "каляска"] * 400
    alone = [VOCABULARY.nearest(word) for word in words]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(VOCABULARY.nearest, words)) == alone
    finally:
        sys.setswitchinterval(interval)
