"""How well an encoder finds drawn products by text, by picture and by both: the table on the small CLIP's card."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.drawn_shop.captions import CHINESE_COLOURS, LANGUAGES, Language, canonical_caption, varied_caption
from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Colour, Look, all_looks, split_looks
from demo.drawn_shop.partial_queries import PARTIAL_QUERIES, PartialQuery
from demo.drawn_shop.rendering import Series, render
from encoders.base import Encoder, ImageEncoder, Vectors
from learning.clip_evaluation import Recall, best, recall

Positions: TypeAlias = NDArray[np.intp]

GALLERIES: Mapping[str, Series] = {
    "noisy": Series(first_seed=100_000, count=4, side=64, clean=False),
    "clean": Series(first_seed=200_000, count=2, side=256, clean=True),
}
WORD_WEIGHTS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
_CAPTION_SEED = 5
_COLOUR_SEED = 9
_FIRST_RESULTS = 10
_SELDOM_ENOUGH = 4  # a colour and a kind fit the four patterns of a look, so no more results can be right


@dataclass(frozen=True, slots=True)
class AttributesRight:
    """The share of results that have the right kind, colour, pattern, and all three."""

    kind: float
    colour: float
    pattern: float
    all_three: float


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """Queries are captions of the 128 held-out looks, unless said otherwise; candidates one picture of each look."""

    text_to_picture: Recall
    text_to_picture_varied_captions: Recall
    text_to_picture_held_out_candidates: Recall
    text_to_picture_trained_looks: Recall
    picture_to_text: Recall
    partial_precision_at_10: dict[str, float]
    picture_plus_new_colour: dict[str, AttributesRight]
    picture_plus_new_minus_old_colour: AttributesRight


@dataclass(frozen=True, slots=True)
class GalleryReport:
    """What one set of pictures gave."""

    picture_to_picture: Recall
    languages: dict[Language, LanguageReport]


@dataclass(frozen=True, slots=True)
class _Gallery:
    """Vectors of shape (looks, pictures of each, dimension) and the attributes of all pictures in the same order."""

    vectors: Vectors
    attributes: NDArray[np.intp]

    @property
    def first(self) -> Vectors:
        return self.vectors[:, 0]

    @property
    def flat(self) -> Vectors:
        return self.vectors.reshape(-1, self.vectors.shape[-1])

    @property
    def per_look(self) -> int:
        return int(self.vectors.shape[1])


def evaluate(encoder: ImageEncoder, processes: int, on_look: Callable[[int, str], None]) -> dict[str, GalleryReport]:
    """By gallery. `on_look` hears how many looks are drawn, of 640 in each gallery, and the gallery's name."""
    reports: dict[str, GalleryReport] = {}
    for name, series in GALLERIES.items():
        heard = partial(_hear, on_look, len(reports) * len(all_looks()), name)
        pictures = render(all_looks(), series, processes, heard)
        reports[name] = report_gallery(encoder, _encode_gallery(encoder, pictures))
    return reports


def report_gallery(encoder: Encoder, pictures: Vectors) -> GalleryReport:
    """`pictures` are vectors of shape (640 looks, at least 2 pictures of each, dimension)."""
    attributes = np.array([_attributes_of(look) for look in all_looks()])
    gallery = _Gallery(pictures, np.repeat(attributes, pictures.shape[1], axis=0))
    held_out = _positions(split_looks().held_out)
    captions = random.Random(_CAPTION_SEED)
    return GalleryReport(
        picture_to_picture=recall(gallery.vectors[held_out, 1] @ gallery.first.T, held_out),
        languages={language: _report_language(encoder, gallery, language, captions) for language in LANGUAGES},
    )


def _hear(on_look: Callable[[int, str], None], before: int, name: str, done: int) -> None:
    on_look(before + done, name)


def _attributes_of(look: Look) -> tuple[int, int, int]:
    """Positions of kind, colour and pattern in KINDS, COLOURS and PATTERNS."""
    return KINDS.index(look.kind), COLOURS.index(look.colour), PATTERNS.index(look.pattern)


def _encode_gallery(encoder: ImageEncoder, series: Iterable[NDArray[np.uint8]]) -> Vectors:
    return np.stack([encoder.encode_images([Image.fromarray(pixels) for pixels in pictures]) for pictures in series])


def _report_language(
    encoder: Encoder, gallery: _Gallery, language: Language, captions: random.Random
) -> LanguageReport:
    looks, split = all_looks(), split_looks()
    held_out, trained = _positions(split.held_out), _positions(split.trained)
    canonical = encoder.encode_texts([canonical_caption(look, language) for look in looks]) @ gallery.first.T
    varied = encoder.encode_texts([varied_caption(look, language, captions) for look in looks]) @ gallery.first.T
    among_held_out = canonical[np.ix_(held_out, held_out)]
    return LanguageReport(
        text_to_picture=recall(canonical[held_out], held_out),
        text_to_picture_varied_captions=recall(varied[held_out], held_out),
        text_to_picture_held_out_candidates=recall(among_held_out, np.arange(len(held_out))),
        text_to_picture_trained_looks=recall(canonical[trained], trained),
        picture_to_text=recall(canonical.T[held_out], held_out),
        partial_precision_at_10={
            name: _precision(encoder, gallery, queries(language)) for name, queries in PARTIAL_QUERIES.items()
        },
        picture_plus_new_colour=_added_colours(encoder, gallery, language),
        picture_plus_new_minus_old_colour=_exchanged_colours(encoder, gallery, language),
    )


def _precision(encoder: Encoder, gallery: _Gallery, queries: Sequence[PartialQuery]) -> float:
    found = best(
        encoder.encode_texts([query.text for query in queries]) @ gallery.flat.T,
        min(_FIRST_RESULTS, gallery.per_look * _SELDOM_ENOUGH),
    )
    wanted = np.array([query.attributes for query in queries])[:, None, :]
    right = (gallery.attributes[found] == wanted) | (wanted == PartialQuery.ANY)
    return float(right.all(axis=-1).mean())


def _added_colours(encoder: Encoder, gallery: _Gallery, language: Language) -> dict[str, AttributesRight]:
    changes = colour_changes()
    new = encoder.encode_texts([colour_word(colour, language) for _, colour in changes])
    pictures = gallery.first[_positions([look for look, _ in changes])]
    return {str(weight): _changed(gallery, changes, pictures + weight * new) for weight in WORD_WEIGHTS}


def _exchanged_colours(encoder: Encoder, gallery: _Gallery, language: Language) -> AttributesRight:
    changes = colour_changes()
    new = encoder.encode_texts([colour_word(colour, language) for _, colour in changes])
    old = encoder.encode_texts([colour_word(look.colour, language) for look, _ in changes])
    pictures = gallery.first[_positions([look for look, _ in changes])]
    return _changed(gallery, changes, pictures + new - old)


def _changed(gallery: _Gallery, changes: Sequence[tuple[Look, Colour]], queries: Vectors) -> AttributesRight:
    """As many first results as a look has pictures, the query's own picture left out."""
    similarities = queries @ gallery.flat.T
    own = _positions([look for look, _ in changes]) * gallery.per_look
    similarities[np.arange(len(changes)), own] = -np.inf
    found = gallery.attributes[best(similarities, gallery.per_look)]
    wanted = [(KINDS.index(look.kind), COLOURS.index(colour), PATTERNS.index(look.pattern)) for look, colour in changes]
    right = found == np.array(wanted)[:, None, :]
    kind, colour, pattern = right.mean(axis=(0, 1))
    return AttributesRight(float(kind), float(colour), float(pattern), float(right.all(axis=-1).mean()))


def colour_changes() -> list[tuple[Look, Colour]]:
    """Each held-out look and another colour: "this, but red"."""
    rng = random.Random(_COLOUR_SEED)
    return [
        (look, rng.choice([colour for colour in COLOURS if colour != look.colour])) for look in split_looks().held_out
    ]


def colour_word(colour: Colour, language: Language) -> str:
    return colour if language == "en" else CHINESE_COLOURS[colour][0]


def _positions(looks: Sequence[Look]) -> Positions:
    places = {look: position for position, look in enumerate(all_looks())}
    return np.array([places[look] for look in looks])
