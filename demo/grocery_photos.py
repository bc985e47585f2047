"""Photos of groceries as picture queries: the first result should be the product, or at least of its category."""

import csv
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL.Image import Image

from encoders.images import ImageError, decode_image
from encoders.settings import ImageLimits
from learning.qrels import Judgments, RelevanceError
from learning.query_sets import QueryPicture, QuerySet

MEASURES = {
    "R@1 fine": "Success(rel=2)@1",
    "R@5 fine": "Success(rel=2)@5",
    "R@1 coarse": "Success(rel=1)@1",
    "R@5 coarse": "Success(rel=1)@5",
    "RR fine": "RR(rel=2)",
}
_THE_PRODUCT, _ITS_CATEGORY = 2, 1
_FILE_COLUMNS = ("file", "path", "photo", "image")
_LABEL_COLUMNS = ("class_name", "class_id", "product", "label")
_NOT_FOR_TESTS = ("train", "val")


@dataclass(frozen=True, slots=True)
class _Shop:
    """`categories` by product; `names` by product or class number."""

    categories: Mapping[str, str]
    names: Mapping[str, str]

    def ratings(self, product: str) -> dict[str, int]:
        category = self.categories[product]
        of_category = {each: _ITS_CATEGORY for each, its in self.categories.items() if its == category}
        return of_category | {product: _THE_PRODUCT}


def grocery_photos(products: Path, photos: Path) -> QuerySet:
    """The photos that a CSV file names, with the product that each shows.

    The file has a column `file` (or path, photo, image) and one of `class_name`, `class_id`, `product`, `label`. Paths
    start there or in the working folder; photos may also lie in a ZIP archive beside it. Where it has a column `split`,
    what is for training is left out. A rating of 2 is the product itself, 1 another one of its category. Raises
    RelevanceError.
    """
    shop = _read_shop(products)
    ratings: dict[str, Mapping[str, int]] = {}
    pictures: dict[str, QueryPicture] = {}
    find = _PhotoFiles(photos.parent).find
    for line, row in _rows(photos):
        place = f"{photos}, line {line}"
        if row.get("split") in _NOT_FOR_TESTS:
            continue
        file, label = _cell(row, _FILE_COLUMNS, place), _cell(row, _LABEL_COLUMNS, place)
        product = shop.names.get(label.replace(" ", "-"))
        if product is None:
            raise RelevanceError(f"{place}: no product {label!r} in {products}")
        query_id = str(len(ratings) + 1)
        ratings[query_id] = shop.ratings(product)
        pictures[query_id] = QueryPicture(Path(file).name, partial(_decode, find(file, place), place))
    if not ratings:
        raise RelevanceError(f"{photos}: no photo is left to ask with; those of the splits train and val are left out")
    return QuerySet("photos", Judgments(ratings, dict.fromkeys(ratings, "")), measures=MEASURES, pictures=pictures)


class _PhotoFiles:
    """Photos by the names in a table: of files as they are asked for, of the archives beside it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packed: dict[str, bytes] | None = None

    def find(self, name: str, place: str) -> Callable[[], bytes]:
        for path in (self._folder / name, Path(name)):
            if path.is_file():
                return path.read_bytes
        if self._packed is None:
            self._packed = _unpack(self._folder)
        if name not in self._packed:
            raise RelevanceError(f"{place}: no photo {name!r} beside the table, nor in a ZIP archive there")
        return partial(self._packed.__getitem__, name)


def _unpack(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                files |= {name: archive.read(name) for name in archive.namelist()}
        except (OSError, zipfile.BadZipFile) as error:
            raise RelevanceError(f"{path}: {error}") from None
    return files


def _decode(read: Callable[[], bytes], place: str) -> Image:
    try:
        return decode_image(read(), ImageLimits())
    except (OSError, ImageError) as error:
        raise RelevanceError(f"{place}: {error}") from None


def _read_shop(products: Path) -> _Shop:
    categories: dict[str, str] = {}
    names: dict[str, str] = {}
    for line, row in _rows(products):
        product = _cell(row, ("class_name",), f"{products}, line {line}")
        categories[product] = row.get("coarse_name", "")
        names |= {product: product, row.get("class_id", product): product}
    return _Shop(categories, names)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                yield reader.line_num, {name: (value or "").strip() for name, value in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RelevanceError(f"{path}: {error}") from None


def _cell(row: Mapping[str, str], columns: tuple[str, ...], place: str) -> str:
    value = next((row[name] for name in columns if row.get(name)), "")
    if not value:
        raise RelevanceError(f"{place}: nothing in any column of {', '.join(columns)}")
    return value
