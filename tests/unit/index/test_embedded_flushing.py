"""When rows go to disk unasked."""

import threading
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # this end is that of its thread
def test_a_flush_that_fails_ends_the_process() -> None:
    told: list[Exception] = []
    heard = threading.Event()

    def fail(_: str) -> None:
        raise ValueError("no such column")

    def end(error: Exception) -> NoReturn:
        told.append(error)
        heard.set()
        raise SystemExit

    with flushed_every(0.001, database(fail, many=LEAST_ROWS), threading.Lock(), end):
        assert heard.wait(20)
    assert [str(error) for error in told] == ["no such column"]
