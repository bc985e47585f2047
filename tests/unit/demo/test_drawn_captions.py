"""What is said of a look, and what is left unsaid."""

import random

import pytest

from demo.drawn_shop.captions import (
    CHINESE_COLOURS,
    CHINESE_KINDS,
    CHINESE_PATTERNS,
    ENGLISH_KINDS,
    ENGLISH_PATTERNS,
    LANGUAGES,
    Language,
    canonical_caption,
    one_word_caption,
    varied_caption,
)
from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Look, all_looks

_PATTERN_NOUNS = {"plain": (), "striped": ("stripes",), "dotted": ("dots",), "checked": ("checks",)}


def _words(look: Look, language: Language) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if language == "en":
        patterns = ENGLISH_PATTERNS[look.pattern] + _PATTERN_NOUNS[look.pattern]
        return ENGLISH_KINDS[look.kind], (look.colour,), patterns
    return CHINESE_KINDS[look.kind], CHINESE_COLOURS[look.colour], CHINESE_PATTERNS[look.pattern]


def _said(caption: str, look: Look, language: Language) -> list[bool]:
    return [any(word in caption for word in words) for words in _words(look, language)]


def test_canonical_captions_read_as_people_write_them() -> None:
    assert canonical_caption(Look("umbrella", "orange", "striped"), "en") == "an orange striped umbrella"
    assert canonical_caption(Look("t-shirt", "red", "dotted"), "zh") == "红色波点T恤"


@pytest.mark.parametrize("language", LANGUAGES)
def test_canonical_captions_say_all_three_attributes_and_differ(language: Language) -> None:
    captions = [canonical_caption(look, language) for look in all_looks()]
    for look, caption in zip(all_looks(), captions, strict=True):
        assert all(_said(caption, look, language)), caption
    assert len(set(captions)) == len(captions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_varied_captions_drop_nothing_but_the_word_plain(language: Language) -> None:
    rng = random.Random(1)
    for look in all_looks() * 5:
        caption = varied_caption(look, language, rng)
        kind, colour, pattern = _said(caption, look, language)
        assert kind, caption
        assert colour, caption
        assert pattern or look.pattern == "plain", caption


@pytest.mark.parametrize("language", LANGUAGES)
def test_unsaid_is_about_the_chance_that_an_attribute_is_left_out(language: Language) -> None:
    look, rng = Look("boot", "blue", "striped"), random.Random(2)
    said = [_said(varied_caption(look, language, rng, unsaid=0.5), look, language) for _ in range(4_000)]
    kind, colour, pattern = (sum(column) / len(said) for column in zip(*said, strict=True))
    assert colour == pytest.approx(0.5, abs=0.04)
    assert pattern == pytest.approx(0.5, abs=0.04)
    assert kind == pytest.approx(0.85 + 0.15 * 0.25, abs=0.03)  # said anyway where nothing else is
    assert all(any(each) for each in said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_word_captions_say_exactly_one_attribute(language: Language) -> None:
    look, rng = Look("hat", "green", "checked"), random.Random(3)
    known = {word for words in _words(look, language) for word in words}
    captions = {one_word_caption(look, language, rng) for _ in range(300)}
    assert captions == known - {"checks"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_vary_and_follow_from_the_seed(language: Language) -> None:
    look = Look("mug", "yellow", "dotted")
    first = [varied_caption(look, language, random.Random(seed)) for seed in range(100)]
    assert first == [varied_caption(look, language, random.Random(seed)) for seed in range(100)]
    assert len(set(first)) > 30


def test_every_attribute_has_words_in_both_languages() -> None:
    assert set(ENGLISH_KINDS) == set(CHINESE_KINDS) == set(KINDS)
    assert set(ENGLISH_PATTERNS) == set(CHINESE_PATTERNS) == set(PATTERNS)
    assert set(CHINESE_COLOURS) == set(COLOURS)


@pytest.mark.parametrize("words", [ENGLISH_KINDS, ENGLISH_PATTERNS, CHINESE_KINDS, CHINESE_PATTERNS, CHINESE_COLOURS])
def test_no_word_means_two_things(words: dict[str, tuple[str, ...]]) -> None:
    spoken = [word for meanings in words.values() for word in meanings]
    assert len(set(spoken)) == len(spoken)
