"""How well an encoder finds drawn products by text, by picture and by both: the table on the small CLIP's card."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demo.drawn_shop.captions import LANGUAGES, Language, canonical_caption, varied_caption
from demo.drawn_shop.changed_looks import Attribute, AttributesRight, added_colours, composed, exchanged_colours
from demo.drawn_shop.gallery import Gallery, attributes_of, positions
from demo.drawn_shop.looks import all_looks, split_looks
from demo.drawn_shop.partial_queries import PARTIAL_QUERIES, PartialQuery
from demo.drawn_shop.rendering import Series, render
from encoders.base import Encoder, ImageEncoder, Vectors
from learning.clip_evaluation import Recall, best, recall
from ranking.settings import CompositionSettings

GALLERIES: Mapping[str, Series] = {
    "noisy": Series(first_seed=100_000, count=4, side=64, clean=False),
    "clean": Series(first_seed=200_000, count=2, side=256, clean=True),
}
_CAPTION_SEED = 5
_FIRST_RESULTS = 10
_SELDOM_ENOUGH = 4  # a colour and a kind fit the four patterns of a look, so no more results can be right


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
    picture_and_words_as_searched: dict[Attribute, AttributesRight]


@dataclass(frozen=True, slots=True)
class GalleryReport:
    """What one set of pictures gave."""

    picture_to_picture: Recall
    languages: dict[Language, LanguageReport]


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
    attributes = np.array([attributes_of(look) for look in all_looks()])
    gallery = Gallery(pictures, np.repeat(attributes, pictures.shape[1], axis=0))
    held_out = positions(split_looks().held_out)
    captions = random.Random(_CAPTION_SEED)
    return GalleryReport(
        picture_to_picture=recall(gallery.vectors[held_out, 1] @ gallery.first.T, held_out),
        languages={language: _report_language(encoder, gallery, language, captions) for language in LANGUAGES},
    )


def _hear(on_look: Callable[[int, str], None], before: int, name: str, done: int) -> None:
    on_look(before + done, name)


def _encode_gallery(encoder: ImageEncoder, series: Iterable[NDArray[np.uint8]]) -> Vectors:
    return np.stack([encoder.encode_images([Image.fromarray(pixels) for pixels in pictures]) for pictures in series])


def _report_language(encoder: Encoder, gallery: Gallery, language: Language, captions: random.Random) -> LanguageReport:
    looks, split = all_looks(), split_looks()
    held_out, trained = positions(split.held_out), positions(split.trained)
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
        picture_plus_new_colour=added_colours(encoder, gallery, split.held_out, language),
        picture_plus_new_minus_old_colour=exchanged_colours(encoder, gallery, split.held_out, language),
        picture_and_words_as_searched=composed(encoder, gallery, split.held_out, language, CompositionSettings()),
    )


def _precision(encoder: Encoder, gallery: Gallery, queries: Sequence[PartialQuery]) -> float:
    found = best(
        encoder.encode_texts([query.text for query in queries]) @ gallery.flat.T,
        min(_FIRST_RESULTS, gallery.per_look * _SELDOM_ENOUGH),
    )
    wanted = np.array([query.attributes for query in queries])[:, None, :]
    right = (gallery.attributes[found] == wanted) | (wanted == PartialQuery.ANY)
    return float(right.all(axis=-1).mean())
