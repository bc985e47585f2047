"""The drawn shop as a judged catalogue: the look of every picture is known, and so is every right answer."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PIL import Image

from demo.drawn_shop.captions import LANGUAGES, Language, canonical_caption
from demo.drawn_shop.changed_looks import changes, word
from demo.drawn_shop.evaluation import GALLERIES
from demo.drawn_shop.looks import Look, all_looks, split_looks
from demo.drawn_shop.rendering import Series, render
from demo.judged_catalogues import JudgedCatalogue
from index.base import Filter
from learning.qrels import Judgments
from learning.query_sets import AS_SERVED, QueryPicture, QuerySet
from ranking.fusion import Leg
from topics.codec import encode_product
from topics.events import Product

_DRAWN = datetime(2026, 1, 1, tzinfo=UTC)
_SYSTEMS: Mapping[str, Collection[Leg] | None] = {AS_SERVED: None, "pictures alone": (Leg.IMAGE,)}
_RECALL = {"R@1": "Success@1", "R@5": "Success@5"}


@dataclass(frozen=True, slots=True)
class _Gallery:
    """One series of pictures as products; `folder` holds them."""

    name: str
    series: Series
    folder: Path

    def product_id(self, look: Look, number: int) -> str:
        return f"{self.name}-{look.colour}-{look.pattern}-{look.kind}-{number}".replace(" ", "-")

    def picture(self, look: Look, number: int) -> Path:
        return self.folder / f"{self.product_id(look, number)}.png"

    def all_of(self, look: Look) -> dict[str, int]:
        return {self.product_id(look, number): 1 for number in range(self.series.count)}

    def filters(self, first_only: bool) -> list[Filter]:
        of_gallery = Filter("attributes.gallery", any_of=(self.name,))
        return [of_gallery, Filter("attributes.number", any_of=(0,))] if first_only else [of_gallery]


def drawn_shop(pictures: Path, on_look: Callable[[int, int], None]) -> JudgedCatalogue:
    """Each of the 640 looks as four noisy and two clean products, drawn into `pictures`, where they are missing.

    Queries are the 128 looks that no training saw: by caption, by another picture, and by a picture with the name of
    another colour. The right answer of a caption is the first picture of its look among the first of all looks; that of
    a picture with a colour is each picture of the look in the new colour, and as many results as there are count.
    `on_look` hears how many looks of how many are drawn.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    galleries = [_Gallery(name, series, pictures) for name, series in GALLERIES.items()]
    file = pictures / "products.jsonl"
    if not file.exists():
        unfinished = file.with_suffix(".part")
        with unfinished.open("wb") as lines:
            for number, gallery in enumerate(galleries):
                done = number * len(all_looks())
                heard = partial(_hear, on_look, done, len(galleries) * len(all_looks()))
                lines.writelines(encode_product(product) + b"\n" for product in _draw(gallery, heard))
        unfinished.replace(file)
    query_sets = [queries for gallery in galleries for queries in _query_sets(gallery)]
    return JudgedCatalogue("drawn-shop", file, "", query_sets)


def _hear(on_look: Callable[[int, int], None], before: int, of: int, done: int) -> None:
    on_look(before + done, of)


def _draw(gallery: _Gallery, on_look: Callable[[int], None]) -> Iterator[Product]:
    looks = all_looks()
    for look, series in zip(looks, render(looks, gallery.series, 1, on_look), strict=True):
        for number, pixels in enumerate(series):
            path = gallery.picture(look, number)
            Image.fromarray(pixels).save(path)
            yield Product(
                id=gallery.product_id(look, number),
                updated_at=_DRAWN,
                title=canonical_caption(look, "en"),
                description=canonical_caption(look, "zh"),
                image_links=(f"file:{path.name}",),
                attributes={"gallery": gallery.name, "number": number},
            )


def _query_sets(gallery: _Gallery) -> Iterator[QuerySet]:
    for language in LANGUAGES:
        yield _captions(gallery, language)
    yield _pictures(gallery)
    for language in LANGUAGES:
        yield _pictures_and_words(gallery, language)


def _captions(gallery: _Gallery, language: Language) -> QuerySet:
    looks = split_looks().held_out
    texts = {_id(number): canonical_caption(look, language) for number, look in enumerate(looks)}
    name = f"text {language} {gallery.name}"
    judgments = Judgments(_first_pictures(gallery, looks), texts)
    return QuerySet(name, judgments, _SYSTEMS, _RECALL, filters=gallery.filters(first_only=True), teaches=False)


def _pictures(gallery: _Gallery) -> QuerySet:
    looks = split_looks().held_out
    return QuerySet(
        f"picture {gallery.name}",
        Judgments(_first_pictures(gallery, looks), {}),
        measures=_RECALL,
        pictures={_id(number): _query_picture(gallery, look, 1) for number, look in enumerate(looks)},
        filters=gallery.filters(first_only=True),
    )


def _pictures_and_words(gallery: _Gallery, language: Language) -> QuerySet:
    asked = {_id(number): change for number, change in enumerate(changes(split_looks().held_out, "colour"))}
    return QuerySet(
        f"picture and words {language} {gallery.name}",
        Judgments(
            {query_id: gallery.all_of(change.wanted) for query_id, change in asked.items()},
            {query_id: word(change.wanted, "colour", language) for query_id, change in asked.items()},
        ),
        _SYSTEMS,
        {"all three right": f"P@{gallery.series.count}", "R@1": "Success@1"},
        pictures={query_id: _query_picture(gallery, change.look, 0) for query_id, change in asked.items()},
        filters=gallery.filters(first_only=False),
        own={query_id: gallery.product_id(change.look, 0) for query_id, change in asked.items()},
    )


def _first_pictures(gallery: _Gallery, looks: Sequence[Look]) -> dict[str, dict[str, int]]:
    return {_id(number): {gallery.product_id(look, 0): 1} for number, look in enumerate(looks)}


def _query_picture(gallery: _Gallery, look: Look, number: int) -> QueryPicture:
    return QueryPicture(f"[{canonical_caption(look, 'en')}]", partial(_load, gallery.picture(look, number)))


def _load(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _id(number: int) -> str:
    return str(number + 1)
