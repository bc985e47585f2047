"""Filters that can never hold together, in sentences: why an answer is empty."""

from collections.abc import Sequence

from index.base import Filter
from index.filters import ATTRIBUTE_PREFIX, LIST_COLUMNS, Scalar, matcher

_MOST_VALUES = 5


def contradictions(filters: Sequence[Filter]) -> list[str]:
    """One sentence for each field whose filters no value satisfies; fields of several values can equal several.

    Raises IndexRefused for a filter that is none.
    """
    by_field: dict[str, list[Filter]] = {}
    for condition in filters:
        by_field.setdefault(condition.field, []).append(condition)
    return [
        f"{field.removeprefix(ATTRIBUTE_PREFIX)} cannot be {' and '.join(_conditions(of_field))} at once"
        for field, of_field in by_field.items()
        if not _can_hold(field, of_field)
    ]


def _can_hold(field: str, conditions: Sequence[Filter]) -> bool:
    low, high = _bounds(conditions)
    if low is not None and high is not None and low > high:
        return False
    bounded = low is not None or high is not None
    has_one_value = bounded or not (field in LIST_COLUMNS or field.startswith(ATTRIBUTE_PREFIX))
    wanted = [condition.any_of for condition in conditions if condition.any_of]
    if not has_one_value or not wanted:
        return True
    matchers = [matcher(condition) for condition in conditions]
    return any(all(matches(_document(field, value)) for matches in matchers) for value in wanted[0])


def _document(field: str, value: Scalar) -> dict[str, object]:
    name = field.removeprefix(ATTRIBUTE_PREFIX)
    return {"attributes": {name: value}} if name != field else {field: value}


def _bounds(conditions: Sequence[Filter]) -> tuple[float | None, float | None]:
    """The narrowest of all."""
    lows = [condition.at_least for condition in conditions if condition.at_least is not None]
    highs = [condition.at_most for condition in conditions if condition.at_most is not None]
    return max(lows, default=None), min(highs, default=None)


def _conditions(conditions: Sequence[Filter]) -> list[str]:
    low, high = _bounds(conditions)
    said = [_values(condition.any_of) for condition in conditions if condition.any_of]
    if low is not None:
        said.append(f"at least {low:.15g}")
    if high is not None:
        said.append(f"at most {high:.15g}")
    return list(dict.fromkeys(said))


def _values(any_of: Sequence[Scalar]) -> str:
    shown = " or ".join(str(value) for value in any_of[:_MOST_VALUES])
    more = len(any_of) - _MOST_VALUES
    return f"{shown} or {more} others" if more > 0 else shown
