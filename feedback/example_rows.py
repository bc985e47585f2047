"""Joined lists as rows of a Parquet table, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from feedback.erasure_marks import Span
from topics.feedback import JoinedList

_TEXTS = pa.map_(pa.string(), pa.string())
_SHOWN = pa.struct(
    [
        ("product_id", pa.string()),
        ("position", pa.int32()),
        ("propensity", pa.float64()),
        ("retrieval_position", pa.int32()),
        ("retrieval_score", pa.float64()),
    ]
)
_ACTION = pa.struct(
    [
        ("event_id", pa.string()),
        ("action", pa.string()),
        ("product_id", pa.string()),
        ("at", pa.float64()),
        ("dwell_seconds", pa.float64()),
        ("by_other", pa.bool_()),
    ]
)
SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("revision", pa.int64()),
        ("shopper", pa.string()),
        ("session", pa.string()),
        ("at", pa.float64()),
        ("text", pa.string()),
        ("kind", pa.string()),
        ("language", pa.string()),
        ("arm", pa.string()),
        ("releases", _TEXTS),
        ("context", _TEXTS),
        ("shown", pa.list_(_SHOWN)),
        ("actions", pa.list_(_ACTION)),
        ("late", pa.int32()),
        ("suspect", pa.string()),
    ]
)
_LISTS_AT_ONCE = 1_000


def to_table(lists: Iterable[JoinedList]) -> pa.Table:
    return pa.Table.from_pylist([_row(joined) for joined in lists], SCHEMA)


def to_lists(table: pa.Table) -> Iterator[JoinedList]:
    for batch in table.to_batches(_LISTS_AT_ONCE):
        for row in batch.to_pylist():
            row["releases"], row["context"] = dict(row["releases"]), dict(row["context"])
            yield JoinedList.model_validate(row)


def day_of(at: float) -> date | None:
    """The event day, in UTC; None for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(at, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def newest(lists: Iterable[JoinedList]) -> list[JoinedList]:
    """The highest revision of each list that has a query."""
    found: dict[str, JoinedList] = {}
    for joined in lists:
        held = found.get(joined.query_id)
        if joined.at is not None and (held is None or joined.revision > held.revision):
            found[joined.query_id] = joined
    return list(found.values())


def newest_rows(table: pa.Table) -> pa.Table:
    """One row for each list, that of its highest revision, in the order of time, then of ids."""
    ordered = table.sort_by([("query_id", "ascending"), ("revision", "descending")])
    ids = np.asarray(ordered["query_id"].to_pylist(), dtype=object)
    first = np.ones(len(ids), dtype=bool)
    first[1:] = ids[1:] != ids[:-1]
    return ordered.filter(pa.array(first)).sort_by([("at", "ascending"), ("query_id", "ascending")])


def during(table: pa.Table, shopper: str, span: Span) -> pa.Table:
    """Only what this shopper saw in that span, and what others saw."""
    kept = (np.asarray(table["shopper"].to_pylist(), dtype=object) != shopper) | span.has(table["at"].to_numpy())
    return table if kept.all() else table.filter(pa.array(kept))


def without(table: pa.Table, erased_at: Mapping[str, float]) -> pa.Table:
    """Only what these shoppers saw after they were erased, and what others saw."""
    if not erased_at:
        return table
    shoppers: Sequence[str] = table["shopper"].to_pylist()
    times: Sequence[float] = table["at"].to_pylist()
    kept = [at > erased_at.get(shopper, float("-inf")) for shopper, at in zip(shoppers, times, strict=True)]
    return table if all(kept) else table.filter(pa.array(kept, pa.bool_()))


def _row(joined: JoinedList) -> dict[str, Any]:
    row = joined.model_dump()
    return row | {"releases": list(joined.releases.items()), "context": list(joined.context.items())}
