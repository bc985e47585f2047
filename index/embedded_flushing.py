"""Milvus-lite searches what it has just taken four to fifty times slower than what it has written to disk."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from milvus_lite.db import MilvusLite

# Fewer are searched in no time, and each flush leaves a file of what it replaced, which milvus-lite 3.2 never removes.
LEAST_ROWS = 250


@contextmanager
def flushed_every(seconds: float, database: MilvusLite, writing: AbstractContextManager[object]) -> Iterator[None]:
    """Meanwhile many rows wait no longer than so for their way to disk. `writing` is held while they are written."""
    ended = threading.Event()

    def flush() -> None:
        while not ended.wait(seconds):
            with writing:
                flush_many_rows(database)

    thread = threading.Thread(target=flush, name="flush")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def flush_many_rows(database: MilvusLite) -> None:
    """Collections with at least LEAST_ROWS that are not on disk."""
    for collection in list(database._collections.values()):  # reading calls open further ones
        if collection._memtable.size() >= LEAST_ROWS:
            collection.flush()
