"""Filters as Milvus's boolean expressions. Nothing that comes from outside can end a literal."""

import json
from collections.abc import Sequence

from index.base import Filter
from index.filters import ATTRIBUTE_PREFIX, LIST_COLUMNS, Scalar, check, facet, key
from index.milvus_schema import FACET_SEPARATOR, FACETS, NUMBERS

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def expression(filters: Sequence[Filter], always: Sequence[str] = ()) -> str:
    """All conditions of `always` and `filters`, joined by `and`. Raises IndexRefused for a filter without meaning."""
    parts = list(always)
    for condition in filters:
        check(condition)
        parts += _conditions(condition)
    return " and ".join(parts)


def ids_expression(product_ids: Sequence[str]) -> str:
    return f"id in [{', '.join(map(quoted, product_ids))}]"


def quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _conditions(condition: Filter) -> list[str]:
    name = condition.field
    attribute = name.startswith(ATTRIBUTE_PREFIX)
    column = f'{NUMBERS}["{key(name)}"]' if attribute else name
    parts = []
    if condition.any_of:
        listed = attribute or name in LIST_COLUMNS
        parts.append(_has_facet(name, condition.any_of) if listed else f"{column} in {_list(condition.any_of)}")
    if condition.at_least is not None:
        parts.append(f"{column} >= {json.dumps(float(condition.at_least))}")
    if condition.at_most is not None:
        parts.append(f"{column} <= {json.dumps(float(condition.at_most))}")
    return parts


def _has_facet(name: str, values: Sequence[Scalar]) -> str:
    """One delimited text holds categories and attribute values: `array_contains` takes milvus-lite far longer."""
    likes = (f'{FACETS} like "%{FACET_SEPARATOR}{facet(name, value)}{FACET_SEPARATOR}%"' for value in values)
    return f"({' or '.join(likes)})"


def _list(values: Sequence[Scalar]) -> str:
    literals = (quoted(value) if isinstance(value, str) else json.dumps(float(value)) for value in values)
    return f"[{', '.join(literals)}]"
