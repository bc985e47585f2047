"""Milvus-lite searches what it has just taken four to fifty times slower than what it has written to disk."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from milvus_lite.db import MilvusLite

# Fewer are searched in no time, and each flush leaves a file of what it replaced, which milvus-lite 3.2 never removes.
_LEAST_ROWS = 250


@contextmanager
def flushed_every(seconds: float, database: MilvusLite, writing: AbstractContextManager[object]) -> Iterator[None]:
    """Meanwhile many rows wait no longer than so for their way to disk. `writing` is held while they are written."""
    ended = threading.Event()
    thread = threading.Thread(target=_flush_every, args=(seconds, database, writing, ended), name="flush")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _flush_every(
    seconds: float, database: MilvusLite, writing: AbstractContextManager[object], ended: threading.Event
) -> None:
    while not ended.wait(seconds):
        with writing:
            for collection in list(database._collections.values()):  # reading calls open further ones
                if collection._memtable.size() >= _LEAST_ROWS:
                    collection.flush()
