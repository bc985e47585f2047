"""What milvus-lite 3.2 needs to be safe behind a server: writers one by one, and no read during a flush.

Measured on 3.2.2: two writers at once corrupt its log, and while it flushes, the rows on their way to disk are found
by nobody. Both are repaired from outside, by locks around its methods.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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


def repair(servicer: type, collection: type) -> None:
    """Put the locks around the methods of milvus-lite's servicer and collection, once a process.

    Raises AttributeError when this milvus-lite is built otherwise.
    """
    writing = threading.RLock()
    for name in _WRITING_CALLS:
        setattr(servicer, name, _within(lambda: writing, getattr(servicer, name)))
    flushing = SharedLock()
    for name in _READING_METHODS:
        setattr(collection, name, _within(flushing.shared, getattr(collection, name)))
    collection._trigger_flush = _within(flushing.exclusive, collection._trigger_flush)  # type: ignore[attr-defined]


def _within(guard: Callable[[], Any], method: Method) -> Method:
    @functools.wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        with guard():
            return method(*args, **kwargs)

    return guarded
