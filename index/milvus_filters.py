"""Filters as Milvus's boolean expressions. Nothing that comes from outside can end a literal."""

import json
from collections.abc import Sequence

from index.base import Filter
from index.filters import ATTRIBUTE_PREFIX, LIST_COLUMNS, Scalar, check, facet
from index.milvus_schema import FACET_SEPARATOR, FACETS

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def expression(filters: Sequence[Filter], always: Sequence[str] = ()) -> str:
    """All conditions of `always` and of `filters`, joined by `and`. Raises IndexRefused for a filter without meaning."""
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
    by_facet = name.startswith(ATTRIBUTE_PREFIX) or name in LIST_COLUMNS
    column = name
    if name.startswith(ATTRIBUTE_PREFIX):
        column = f'document["attributes"][{quoted(name.removeprefix(ATTRIBUTE_PREFIX))}]'
    parts = []
    if condition.any_of:
        parts.append(_has_facet(name, condition.any_of) if by_facet else f"{column} in {_list(condition.any_of)}")
    if condition.at_least is not None:
        parts.append(f"{column} >= {json.dumps(float(condition.at_least))}")
    if condition.at_most is not None:
        parts.append(f"{column} <= {json.dumps(float(condition.at_most))}")
    return parts


def _has_facet(name: str, values: Sequence[Scalar]) -> str:
    """Categories and attribute values are held as one delimited text: `array_contains` takes 100 times as long in lite."""
    likes = (f'{FACETS} like "%{FACET_SEPARATOR}{facet(name, value)}{FACET_SEPARATOR}%"' for value in values)
    return f"({' or '.join(likes)})"


def _list(values: Sequence[Scalar]) -> str:
    literals = (quoted(value) if isinstance(value, str) else json.dumps(float(value)) for value in values)
    return f"[{', '.join(literals)}]"
