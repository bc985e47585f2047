"""How many of the matches have each value of a field."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.filters import NUMBER_COLUMNS, Scalar, values_of

_MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class FacetValue:
    value: Scalar
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """What the matches have as `field`: the 50 most frequent values, the most frequent first, or the range of a number.

    `exact`: no match is missing; otherwise each count is the least it can be.
    """

    field: str
    values: Sequence[FacetValue]
    exact: bool
    lowest: float | None = None
    highest: float | None = None


def count_facet(field: str, documents: Iterable[Mapping[str, Any]], exact: bool) -> Facet:
    """A product with several values counts for each of them."""
    held = [value for document in documents for value in values_of(field, document)]
    if field in NUMBER_COLUMNS:
        numbers = [float(value) for value in held]
        return Facet(field, (), exact, min(numbers, default=None), max(numbers, default=None))
    counts = Counter((type(value) is bool, value) for value in held)  # to Python, true is 1
    ordered = sorted(counts.items(), key=lambda one: (-one[1], str(one[0][1])))
    return Facet(field, [FacetValue(value, count) for (_, value), count in ordered[:_MOST_VALUES]], exact)
