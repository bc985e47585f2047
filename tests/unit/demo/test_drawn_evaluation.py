"""The evaluation gives full marks to an encoder that sees everything, and none to one that sees nothing."""

from collections.abc import Sequence

import numpy as np
import pytest

from demo.drawn_shop.captions import (
    CHINESE_COLOURS,
    CHINESE_KINDS,
    CHINESE_PATTERNS,
    ENGLISH_KINDS,
    ENGLISH_PATTERNS,
)
from demo.drawn_shop.evaluation import GalleryReport, report_gallery
from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Look, all_looks
from encoders.base import Vectors

_ENGLISH_NOUNS = {"striped": "stripes", "dotted": "dots", "checked": "checks"}
_DIMENSION = len(KINDS) + len(COLOURS) + len(PATTERNS)


class _Oracle:
    """Reads attributes out of a text; `blind_to` are columns of the vector that it does not see."""

    release, dimension, batch_size = "oracle@1", _DIMENSION, 1

    def __init__(self, blind_to: slice = slice(0)) -> None:
        self._blind_to = blind_to

    def understands(self, text: str) -> bool:
        return True

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._unit(np.array([_attributes_said(text) for text in texts], np.float32))

    def encode_looks(self, looks: Sequence[Look]) -> Vectors:
        known = [[*KINDS, *COLOURS, *PATTERNS].index(name) for look in looks for name in _names(look)]
        vectors = np.zeros((len(looks), _DIMENSION), np.float32)
        np.put_along_axis(vectors, np.array(known).reshape(-1, 3), 1, axis=1)
        return self._unit(vectors)

    def _unit(self, vectors: Vectors) -> Vectors:
        vectors = vectors.copy()
        vectors[:, self._blind_to] = 0
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _names(look: Look) -> tuple[str, str, str]:
    return look.kind, look.colour, look.pattern


def _attributes_said(text: str) -> list[float]:
    kinds = [(*ENGLISH_KINDS[kind], *CHINESE_KINDS[kind]) for kind in KINDS]
    colours = [(colour, *(word[0] for word in CHINESE_COLOURS[colour])) for colour in COLOURS]
    patterns = [(*ENGLISH_PATTERNS[name], *CHINESE_PATTERNS[name], _ENGLISH_NOUNS.get(name, name)) for name in PATTERNS]
    said = [float(any(word in text for word in words)) for words in (*kinds, *colours, *patterns)]
    if not any(said[-len(PATTERNS) :]) and any(said[: len(KINDS)]) and any(said[len(KINDS) : -len(PATTERNS)]):
        said[-len(PATTERNS)] = 0.1  # who says no pattern rather means plain
    return said


def _report(oracle: _Oracle) -> GalleryReport:
    pictures = np.repeat(oracle.encode_looks(all_looks())[:, None], 2, axis=1)
    return report_gallery(oracle, pictures)


def test_an_oracle_has_full_marks() -> None:
    report = _report(_Oracle())
    assert report.picture_to_picture.at_1 == 1
    for figures in report.languages.values():
        assert figures.text_to_picture.at_1 == figures.picture_to_text.at_1 == 1
        assert figures.text_to_picture_trained_looks.at_1 == 1
        assert (
            figures.text_to_picture_varied_captions.at_1 > 0.9
        )  # some words hold others: 黑 is short for 黑色, 伞 for 雨伞
        assert set(figures.partial_precision_at_10.values()) == {1}
        assert figures.picture_plus_new_minus_old_colour.all_three == 1
        assert figures.picture_plus_new_colour["1.0"].colour == 1
        assert {right.all_three for right in figures.picture_and_words_as_searched.values()} == {1}


def test_an_encoder_that_sees_no_colour_finds_one_of_ten() -> None:
    colours = slice(len(KINDS), len(KINDS) + len(COLOURS))
    report = _report(_Oracle(blind_to=colours))
    for figures in report.languages.values():
        assert figures.text_to_picture.at_1 == 0
        assert figures.partial_precision_at_10["kind"] == figures.partial_precision_at_10["pattern_and_kind"] == 1
        assert figures.partial_precision_at_10["colour_and_kind"] < 0.3
        changed = figures.picture_plus_new_minus_old_colour
        assert (changed.kind, changed.pattern) == (1, 1)
        assert changed.colour < 0.3


@pytest.mark.parametrize("size", [2, 4])
def test_an_encoder_that_sees_nothing_scores_nothing(size: int) -> None:
    oracle = _Oracle(blind_to=slice(0, _DIMENSION))
    report = report_gallery(oracle, np.zeros((len(all_looks()), size, _DIMENSION), np.float32))
    assert report.picture_to_picture.at_10 == 0
    for figures in report.languages.values():
        assert figures.text_to_picture.at_10 == figures.picture_to_text.at_10 == 0
        assert figures.partial_precision_at_10["colour_and_kind"] < 0.05
        assert figures.picture_plus_new_minus_old_colour.all_three < 0.05
