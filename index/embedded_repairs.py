"""What milvus-lite 3.2 needs to be safe behind a server, put around its methods from outside.

Measured on 3.2.2: two writers at once corrupt its log; while it flushes, the rows on their way to disk are found by
nobody; and a filter on JSON reads all columns of all rows, vectors too.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from milvus_lite.adapter.grpc.servicer import MilvusServicer
from milvus_lite.engine.collection import Collection
from milvus_lite.search.filter import eval as filter_evaluation

_WRITING_CALLS = (
    "Insert",
    "Upsert",
    "Delete",
    "Flush",
    "CreateCollection",
    "DropCollection",
    "CreateIndex",
    "DropIndex",
    "LoadCollection",
    "ReleaseCollection",
    "CreateAlias",
    "AlterAlias",
    "DropAlias",
    "CreatePartition",
    "DropPartition",
    "RenameCollection",
    "AlterCollection",
    "TruncateCollection",
    "ManualCompaction",
)
_READING_METHODS = ("search", "query", "get")

Method = Callable[..., Any]


class SharedLock:
    """Many readers, or one that excludes them; who wants to exclude goes before readers that come later."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._excluding = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._excluding)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._excluding)
            self._excluding = True
            self._changed.wait_for(lambda: self._readers == 0)
        try:
            yield
        finally:
            with self._changed:
                self._excluding = False
                self._changed.notify_all()


def repair() -> AbstractContextManager[object]:
    """Change this process's milvus-lite, once. Gives the lock that each write holds. Raises AttributeError when it is
    built otherwise.
    """
    writing = threading.RLock()
    for name in _WRITING_CALLS:
        setattr(MilvusServicer, name, _within(lambda: writing, getattr(MilvusServicer, name)))
    flushing = SharedLock()
    for name in _READING_METHODS:
        setattr(Collection, name, _within(flushing.shared, getattr(Collection, name)))
    Collection._trigger_flush = _within(flushing.exclusive, Collection._trigger_flush)
    filter_evaluation.evaluate_python = _on_fields_only(filter_evaluation.evaluate_python)
    return writing


def _on_fields_only(evaluate: Method) -> Method:
    def evaluate_narrow(compiled: Any, data: Any) -> Any:
        if "$meta" in data.column_names or not compiled.fields:
            return evaluate(compiled, data)
        return evaluate(compiled, data.select([name for name in data.column_names if name in compiled.fields]))

    return evaluate_narrow


def _within(guard: Callable[[], Any], method: Method) -> Method:
    @functools.wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with guard():
            return method(*args, **kwargs)

    return guarded
