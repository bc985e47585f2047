"""When rows go to disk unasked."""

import threading
from types import SimpleNamespace
from typing import Any

from index.embedded_flushing import LEAST_ROWS, flush_many_rows, flushed_every


def database(flush: Any, **rows: int) -> Any:
    """Collections by name with so many rows in memory."""

    def collection(name: str, number: int) -> Any:
        return SimpleNamespace(_memtable=SimpleNamespace(size=lambda: number), flush=lambda: flush(name))

    return SimpleNamespace(_collections={name: collection(name, number) for name, number in rows.items()})


def test_many_rows_are_flushed_and_few_are_not() -> None:
    flushed: list[str] = []
    flush_many_rows(database(flushed.append, few=LEAST_ROWS - 1, many=LEAST_ROWS, more=9_999))
    assert flushed == ["many", "more"]


def test_they_are_flushed_again_and_again() -> None:
    flushed: list[str] = []
    twice = threading.Event()

    def flush(name: str) -> None:
        flushed.append(name)
        if len(flushed) == 2:
            twice.set()

    with flushed_every(0.001, database(flush, many=LEAST_ROWS), threading.Lock()):
        assert twice.wait(20)
