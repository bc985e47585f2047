"""Milvus-lite searches what it has just taken in four to fifty times slower than what it has written to disk."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from milvus_lite.db import MilvusLite


@contextmanager
def flushed_every(seconds: float, database: MilvusLite, writing: AbstractContextManager[object]) -> Iterator[None]:
    """Meanwhile nothing waits longer than so for its way to disk. `writing` is held while a collection is flushed."""
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
                collection.flush()
