"""The language of a query that names none."""

import pytest

from ranking.query_languages import query_language
from ranking.query_understanding import QueryUnderstanding
from ranking.settings import UnderstandingSettings


@pytest.mark.parametrize(
    ("text", "language"),
    [
        *(("red dress", "en"), ("红色连衣裙", "zh"), ("iPhone 手机壳", "zh"), ("Samsung Galaxy S24 手机", "zh")),
        *(
            ("赤いワンピース", "ja"),
            ("빨간 드레스", "ko"),
            ("ชุดเดรสสีแดง", "th"),
            ("красное платье", "ru"),
            ("فستان أحمر", "ar"),
        ),
        *(("чехол для iPhone", "ru"), ("robe d'été", "en"), ("", "en"), ("123 !?", "en"), ("１２３", "en")),
        ("tattoo sleeve with the character 龙 for grown men", "en"),
    ],
)
def test_the_script_tells_the_language(text: str, language: str) -> None:
    assert query_language(text, ("en", "zh"), "en") == language


def test_configured_languages_of_a_script_come_first() -> None:
    assert query_language("連衣裙", ("en", "zh-Hant"), "en") == "zh-Hant"
    assert query_language("東京", ("en", "ja"), "en") == "ja"
    assert query_language("сукня", ("uk", "ru"), "uk") == "uk"
    assert query_language("red dress", ("zh", "fr"), "zh") == "fr"


def test_of_two_languages_in_latin_letters_the_default_comes_first() -> None:
    assert query_language("rote schuhe", ("en", "de"), "de") == "de"


def test_the_language_of_the_request_wins() -> None:
    understanding = QueryUnderstanding(UnderstandingSettings(), "en")
    assert understanding.understand("红色连衣裙", language="ja").language == "ja"


def test_phrases_do_not_decide_where_words_are_left() -> None:
    understanding = QueryUnderstanding(UnderstandingSettings(), "en")
    assert understanding.understand("red dress 五十元以下").language == "en"
    assert understanding.understand("五十元以下").language == "zh"
