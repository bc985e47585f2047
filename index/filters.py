"""What a filter means: which fields there are, what each may be asked, and whether a document satisfies it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from index.base import Filter, IndexRefused

TEXT_COLUMNS = ("id", "brand", "currency", "availability", "language")
NUMBER_COLUMNS = ("price", "rating")
LIST_COLUMNS = ("categories",)
ATTRIBUTE_PREFIX = "attributes."
KNOWN_FIELDS = (*TEXT_COLUMNS, *NUMBER_COLUMNS, *LIST_COLUMNS, f"{ATTRIBUTE_PREFIX}<name>")

Scalar = str | float | bool
Matcher = Callable[[Mapping[str, Any]], bool]


def check(condition: Filter) -> None:
    """Raises IndexRefused for an unknown field, a filter without a condition, and values the field cannot have."""
    name = condition.field
    check_field(name)
    attribute = name.startswith(ATTRIBUTE_PREFIX)
    bounds = [bound for bound in (condition.at_least, condition.at_most) if bound is not None]
    if not bounds and not condition.any_of:
        raise IndexRefused(f"the filter on {name[:80]!r} has no condition: give any_of, at_least or at_most")
    if bounds and not attribute and name not in NUMBER_COLUMNS:
        raise IndexRefused(f"{name} is no number: at_least and at_most do not apply, use any_of")
    if any(not _is_number(bound) for bound in bounds):
        raise IndexRefused(f"the bounds of the filter on {name[:80]!r} must be finite numbers, not {bounds}")
    _check_values(name, attribute, condition.any_of)


def check_field(name: str) -> None:
    """Raises IndexRefused for a field that products do not have."""
    attribute = name.startswith(ATTRIBUTE_PREFIX) and len(name) > len(ATTRIBUTE_PREFIX)
    if not attribute and name not in (*TEXT_COLUMNS, *NUMBER_COLUMNS, *LIST_COLUMNS):
        raise IndexRefused(f"no field {name[:80]!r} to filter by; there are {', '.join(KNOWN_FIELDS)}")


def _check_values(name: str, attribute: bool, values: Sequence[Scalar]) -> None:
    if attribute:
        wrong: list[Scalar] = [value for value in values if not isinstance(value, str | bool) and not _is_number(value)]
        wanted = "texts, finite numbers or booleans"
    elif name in NUMBER_COLUMNS:
        wrong = [value for value in values if not _is_number(value)]
        wanted = "finite numbers"
    else:
        wrong = [value for value in values if not isinstance(value, str) or not value]
        wanted = "texts that are not empty"
    if wrong:
        raise IndexRefused(f"{name[:80]} can equal {wanted}, not {str(wrong[0])[:80]!r}")


def matcher(condition: Filter) -> Matcher:
    """Whether a document satisfies a filter. A field that the document does not have satisfies none."""
    check(condition)
    field = condition.field
    wanted = {_identity(value) for value in condition.any_of}
    low = -math.inf if condition.at_least is None else condition.at_least
    high = math.inf if condition.at_most is None else condition.at_most
    bounded = condition.at_least is not None or condition.at_most is not None

    def satisfies(document: Mapping[str, Any]) -> bool:
        value = _value(field, document)
        if wanted:
            held = value if isinstance(value, list) else (value,)
            if not any(_identity(one) in wanted for one in held):
                return False
        return not bounded or (_is_number(value) and low <= value <= high)

    return satisfies


def values_of(field: str, document: Mapping[str, Any]) -> list[Scalar]:
    """What a filter on this field can equal in the document, each once; empty where the document does not have it."""
    value = _value(field, document)
    listed = value if isinstance(value, list | tuple) else (value,)
    return list({_identity(one): one for one in listed if isinstance(one, str | bool | int | float)}.values())


def listed_values(document: Mapping[str, Any]) -> Iterator[tuple[str, Scalar]]:
    """The field and value of each category and each attribute, one by one: what `any_of` finds besides the columns."""
    for category in document.get("categories") or ():
        yield "categories", category
    for name, value in (document.get("attributes") or {}).items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, str | bool | int | float):
                yield ATTRIBUTE_PREFIX + name, one


def numbers(document: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The field and value of each attribute that is a number."""
    for name, value in (document.get("attributes") or {}).items():
        if _is_number(value):
            yield ATTRIBUTE_PREFIX + name, float(value)


def facet(field: str, value: Scalar) -> str:
    """A short name of `field equals value` without any character that means something to a query language."""
    kind, text = _identity(value)
    return _digest(f"{field}\x00{kind}\x00{text}")


def key(field: str) -> str:
    """A short name of a field, as harmless as a facet."""
    return _digest(field)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _value(field: str, document: Mapping[str, Any]) -> Any:
    if field.startswith(ATTRIBUTE_PREFIX):
        return (document.get("attributes") or {}).get(field.removeprefix(ATTRIBUTE_PREFIX))
    return document.get(field)


def _identity(value: Any) -> tuple[str, str]:
    """Equal for equal values of one kind: 1 and 1.0 are one number, true is none, "1" is a text."""
    if isinstance(value, bool):
        return "boolean", str(value)
    if isinstance(value, int | float):
        return "number", repr(float(value))
    return "text" if isinstance(value, str) else "nothing", str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
