"""A picture and a word that changes one attribute ("this, but red"): what is found, and how well."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from demo.drawn_shop.captions import CHINESE_COLOURS, CHINESE_KINDS, CHINESE_PATTERNS, Language
from demo.drawn_shop.gallery import Gallery, attributes_of, positions
from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Look
from encoders.base import Encoder, Vectors
from learning.clip_evaluation import best
from ranking.composition import PictureAndWords
from ranking.settings import CompositionSettings

Attribute: TypeAlias = Literal["colour", "pattern", "kind"]

WORD_WEIGHTS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
_ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)
_SEED = 9


@dataclass(frozen=True, slots=True)
class AttributesRight:
    """The share of results that have the right kind, colour, pattern, and all three."""

    kind: float
    colour: float
    pattern: float
    all_three: float


@dataclass(frozen=True, slots=True)
class Change:
    """A look and what it becomes: the other attributes stay."""

    look: Look
    wanted: Look


def changes(looks: Sequence[Look], attribute: Attribute) -> list[Change]:
    """Each look with another value of one attribute, by chance, but always the same."""
    rng = random.Random(_SEED)
    return [Change(look, _changed(look, attribute, rng)) for look in looks]


def composed(
    encoder: Encoder, gallery: Gallery, looks: Sequence[Look], language: Language, settings: CompositionSettings
) -> dict[Attribute, AttributesRight]:
    """As search composes a picture and the word of the new value."""
    composition = PictureAndWords(encoder, settings)
    right: dict[Attribute, AttributesRight] = {}
    for attribute in _ATTRIBUTES:
        asked = changes(looks, attribute)
        words = [word(change.wanted, attribute, language) for change in asked]
        queries = [composition.compose(*query) for query in zip(_pictures(gallery, asked), words, strict=True)]
        right[attribute] = _measure(gallery, asked, np.stack(queries))
    return right


def added_colours(
    encoder: Encoder, gallery: Gallery, looks: Sequence[Look], language: Language
) -> dict[str, AttributesRight]:
    """By weight: the picture's vector plus that of the new colour's word."""
    asked = changes(looks, "colour")
    new = encoder.encode_texts([word(change.wanted, "colour", language) for change in asked])
    return {str(weight): _measure(gallery, asked, _pictures(gallery, asked) + weight * new) for weight in WORD_WEIGHTS}


def exchanged_colours(encoder: Encoder, gallery: Gallery, looks: Sequence[Look], language: Language) -> AttributesRight:
    """The new colour's word added and the true old one's taken away, each once."""
    asked = changes(looks, "colour")
    new, old = (
        encoder.encode_texts([word(look, "colour", language) for look in side])
        for side in ([change.wanted for change in asked], [change.look for change in asked])
    )
    return _measure(gallery, asked, _pictures(gallery, asked) + new - old)


def _changed(look: Look, attribute: Attribute, rng: random.Random) -> Look:
    match attribute:
        case "colour":
            return replace(look, colour=rng.choice([colour for colour in COLOURS if colour != look.colour]))
        case "pattern":
            return replace(look, pattern=rng.choice([pattern for pattern in PATTERNS if pattern != look.pattern]))
        case "kind":
            return replace(look, kind=rng.choice([kind for kind in KINDS if kind != look.kind]))


def _pictures(gallery: Gallery, asked: Sequence[Change]) -> Vectors:
    pictures: Vectors = gallery.first[positions([change.look for change in asked])]
    return pictures


def word(look: Look, attribute: Attribute, language: Language) -> str:
    """How a shopper calls the look's value of the attribute."""
    if language == "en":
        return str(getattr(look, attribute))
    names = {
        "colour": CHINESE_COLOURS[look.colour],
        "pattern": CHINESE_PATTERNS[look.pattern],
        "kind": CHINESE_KINDS[look.kind],
    }
    return names[attribute][0]


def _measure(gallery: Gallery, asked: Sequence[Change], queries: Vectors) -> AttributesRight:
    """As many first results as a look has pictures, the query's own picture left out."""
    similarities = queries @ gallery.flat.T
    own = positions([change.look for change in asked]) * gallery.per_look
    similarities[np.arange(len(asked)), own] = -np.inf
    found = gallery.attributes[best(similarities, gallery.per_look)]
    right = found == np.array([attributes_of(change.wanted) for change in asked])[:, None, :]
    kind, colour, pattern = right.mean(axis=(0, 1))
    return AttributesRight(float(kind), float(colour), float(pattern), float(right.all(axis=-1).mean()))
