import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text_analysis import ENGLISH_STOP_WORDS, Analyser

ANALYSER = Analyser()
LANGUAGES = st.sampled_from(
    ["en", "en-GB", "de", "fr", "tr", "el", "hi", "ru", "zh", "zh-Hans-CN", "ja", "th", "qqq", ""]
)
HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF))
ASCII = st.text(st.characters(max_codepoint=0x7F))


def standard_tokens(text: str) -> list[str]:
    """What Milvus's `standard` analyzer makes of a text."""
    return re.findall(r"\w+", text.lower())


@given(st.one_of(ASCII, HAN, st.text(), st.text(st.characters(categories=["Mn", "Mc", "Lo", "Nd"]))), LANGUAGES)
def test_tokens_go_through_the_standard_analyzer_as_they_are(text: str, language: str) -> None:
    analysed = ANALYSER.analyse(text, language)
    assert standard_tokens(analysed) == analysed.split()
    assert analysed == " ".join(analysed.split())


@given(ASCII, LANGUAGES)
def test_case_does_not_matter(text: str, language: str) -> None:
    assert ANALYSER.analyse(text.upper(), language) == ANALYSER.analyse(text.lower(), language)


@given(st.text(), st.text(), LANGUAGES)
def test_texts_apart_are_analysed_as_each_alone(left: str, right: str, language: str) -> None:
    together = ANALYSER.analyse(f"{left} | {right}", language)
    assert together.split() == [*ANALYSER.analyse(left, language).split(), *ANALYSER.analyse(right, language).split()]


@pytest.mark.parametrize(
    ("text", "language", "tokens"),
    [
        ("Running shoes for the Children", "en", "run shoe children"),
        ("HP dv7-1211ea", "en", "hp dv7 1211ea"),
        ('TV 17" (43 cm)', "en", "tv 17 43 cm"),
        ("006R90321", "en", "006r90321"),
        ("men's don’t rock'n'roll", "en", "men dont rocknrol"),
        ("'quoted' ''", "en", "quot"),
        ("l'eau des garçons", "fr", "l eau de garçon"),
        ("Straßenschuhe für Kinder", "de-AT", "strassenschuh fur kind"),
        ("ΠΑΠΟΎΤΣΙΑ παπούτσια", "el", "παπουτσ παπουτσ"),
        ("苹果手机壳", "zh-CN", "苹果 手机 壳"),
        ("四件套", "zh", "四件 件套 四件套"),
        ("苹果iPhone手机壳 Cases", "zh", "苹果 iphon 手机 壳 case"),
        ("ワイヤレス", "ja", "ワイ イヤ ヤレ レス"),
        ("무선 이어폰", "ko", "무선 이어 어폰"),
        ("ﾜｲﾔ", "ja", "ワイ イヤ"),
        ("ＡＢＣ　１２３ ½ ﬁne", "en", "abc 123 1 2 fine"),
        ("foo_bar/baz.qux", "en", "foo bar baz qux"),
        ("hashes stay", "qqq", "hashes stay"),
        ("🙂 \x00 \ud800 –", "en", ""),
        ("", "en", ""),
    ],
)
def test_examples(text: str, language: str, tokens: str) -> None:
    assert ANALYSER.analyse(text, language) == tokens


def test_vowel_signs_that_no_tokenizer_keeps_still_tell_words_apart() -> None:
    assert len({ANALYSER.analyse(word, "mr") for word in ("का", "की", "के", "क")}) == 4
    assert ANALYSER.analyse("กา", "th") != ANALYSER.analyse("กี", "th")


def test_stop_words_are_left_out_in_english_only() -> None:
    assert ANALYSER.analyse(" ".join(ENGLISH_STOP_WORDS)) == ""
    assert ANALYSER.analyse("was ist das", "de") == "was ist das"
    assert len(ENGLISH_STOP_WORDS) == 33


def test_threads_share_an_analyser() -> None:
    words = [f"running{number}s houses{number} Schuhe" for number in range(300)]
    analyser = Analyser()
    alone = [ANALYSER.analyse(word, language) for word in words for language in ("en", "de")]
    with ThreadPoolExecutor(8) as threads:
        together = list(
            threads.map(lambda pair: analyser.analyse(*pair), [(w, la) for w in words for la in ("en", "de")])
        )
    assert together == alone
