"""What features know of products: numbers and named values, in columns that are read for many products at once."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranking.feature_settings import AffinityFeature, ClosenessFeature, Feature, NumberFeature
from ranking.rankers import Numbers

Rows = NDArray[np.int64]
ValueIds = NDArray[np.int32]

MOST_VALUES = 32  # of one field of one product
_FIRST_ROWS = 256
_LARGEST = float(np.finfo(np.float32).max)
_OWN_FIELDS = frozenset({"brand", "categories", "price", "rating", "rating_count", "language", "availability"})


class ProductTable:
    """Columns of declared fields. A field is one of a product's own or one of its attributes.

    Row 0 is that of every product which is not known: no number (NaN), no value (0). Safe to use from several
    threads; of a product that changes in the same moment, some columns may be read as before.
    """

    def __init__(self, number_fields: Iterable[str], value_fields: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._numbers = {field: np.full(_FIRST_ROWS, np.nan, np.float32) for field in number_fields}
        self._values = {field: np.zeros((_FIRST_ROWS, 1), np.int32) for field in value_fields}
        self._vocabularies: dict[str, dict[str, int]] = {field: {} for field in self._values}
        self._vectors: Numbers = np.zeros((_FIRST_ROWS, 0), np.float32)
        self._summed_vectors: NDArray[np.float64] = np.zeros(0)
        self._with_vector = 0
        self._spreads: dict[tuple[str, bool], tuple[int, float, float]] = {}
        self._changes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def learn(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Products as they are now, as the index keeps them or as their events have them."""
        with self._lock:
            for document in documents:
                product_id = document["id"]
                row = self._rows.get(product_id) or self._new_row()
                self._write(row, document)
                self._rows[product_id] = row  # once it can be read
                self._changes += 1

    def learn_vectors(self, vectors: Mapping[str, Numbers]) -> None:
        """Unit vectors by product id, all of one dimension; those of products that are not known are left out."""
        with self._lock:
            for product_id, vector in vectors.items():
                if (row := self._rows.get(product_id)) is not None:
                    self._write_vector(row, vector)

    def forget(self, product_ids: Iterable[str]) -> None:
        with self._lock:
            for product_id in product_ids:
                if (row := self._rows.pop(product_id, None)) is not None:
                    self._write(row, {})
                    if self._vectors.shape[1]:
                        self._write_vector(row, np.zeros(self._vectors.shape[1], np.float32))
                    self._free.append(row)
                    self._changes += 1

    def rows(self, product_ids: Sequence[str]) -> Rows:
        """Where each product stands; 0 for those that are not known."""
        return np.fromiter(map(self._rows.get, product_ids, repeat(0)), np.int64, len(product_ids))

    def numbers(self, field: str, rows: Rows) -> Numbers:
        """One number for each row, NaN where there is none."""
        return self._numbers[field].take(rows)

    def values(self, field: str, rows: Rows) -> ValueIds:
        """Rows x as many as any product has: ids of the field's values from 1 on, 0 where there are no more."""
        return self._values[field].take(rows, axis=0)

    def most_value(self, field: str) -> int:
        """The highest id of the field's values that has been given by now."""
        return len(self._vocabularies[field])

    def vectors(self, rows: Rows) -> Numbers:
        """Rows x dimensions: zeros for products without a vector, no dimension while there is none at all."""
        return self._vectors.take(rows, axis=0)

    def mean_vector(self) -> NDArray[np.float64]:
        """Of all products with a vector."""
        return self._summed_vectors / max(self._with_vector, 1)

    def spread(self, field: str, logarithmic: bool) -> tuple[float, float]:
        """Mean and standard deviation over the catalogue, as of some hundredth part of its changes ago at most."""
        known = self._spreads.get((field, logarithmic))
        if known is None or self._changes > known[0] * 1.01:
            numbers = self._numbers[field]
            numbers = numbers[~np.isnan(numbers)].astype(np.float64)
            numbers = np.log1p(np.maximum(numbers, 0)) if logarithmic else numbers
            middle, spread = (numbers.mean(), numbers.std()) if len(numbers) else (0.0, 1.0)
            known = self._spreads[field, logarithmic] = self._changes, float(middle), float(spread) or 1.0
        return known[1], known[2]

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        row = len(self._rows) + 1
        self._make_room(row)
        return row

    def _write(self, row: int, document: Mapping[str, Any]) -> None:
        for field, numbers in self._numbers.items():
            numbers[row] = _number(_member(document, field))
        for field in self._values:
            self._write_values(field, row, _named_values(_member(document, field)))

    def _write_values(self, field: str, row: int, names: Sequence[str]) -> None:
        vocabulary = self._vocabularies[field]
        ids = [vocabulary.setdefault(name, len(vocabulary) + 1) for name in names]
        table = self._values[field]
        if len(ids) > table.shape[1]:
            wider = np.zeros((len(table), len(ids)), np.int32)
            wider[:, : table.shape[1]] = table
            table = self._values[field] = wider
        table[row] = 0
        table[row, : len(ids)] = ids

    def _write_vector(self, row: int, vector: Numbers) -> None:
        if not self._vectors.shape[1]:
            self._vectors = np.zeros((len(self._vectors), len(vector)), np.float32)
            self._summed_vectors = np.zeros(len(vector))
        held = self._vectors[row]
        self._with_vector += int(vector.any()) - int(held.any())
        self._summed_vectors = self._summed_vectors + vector - held
        self._vectors[row] = vector

    def _make_room(self, row: int) -> None:
        for field, numbers in self._numbers.items():
            self._numbers[field] = _with_length(numbers, row + 1, np.nan)
        for field, values in self._values.items():
            self._values[field] = _with_length(values, row + 1, 0)
        self._vectors = _with_length(self._vectors, row + 1, 0)


def declared_table(features: Iterable[Feature]) -> ProductTable:
    """A table with the fields that these features ask for."""
    declared = list(features)
    numbers = {one.field for one in declared if isinstance(one, NumberFeature | ClosenessFeature)}
    values = {one.field for one in declared if isinstance(one, AffinityFeature)}
    return ProductTable(sorted(numbers), sorted(values))


def _with_length(array: NDArray[Any], length: int, fill: float) -> NDArray[Any]:
    """The array, or one twice as long: whoever still reads the old one reads what was true then."""
    if length <= len(array):
        return array
    longer = np.full((max(length, 2 * len(array)), *array.shape[1:]), fill, array.dtype)
    longer[: len(array)] = array
    return longer


def _member(document: Mapping[str, Any], field: str) -> Any:
    return document.get(field) if field in _OWN_FIELDS else document.get("attributes", {}).get(field)


def _number(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        return np.nan
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
    return number if abs(number) <= _LARGEST else np.nan


def _named_values(value: Any) -> list[str]:
    """Without repeats, in order, and without regard to case."""
    if value is None or value == "":
        return []
    values = value if isinstance(value, list | tuple) else [value]
    return list(dict.fromkeys(str(each).casefold() for each in values))[:MOST_VALUES]
