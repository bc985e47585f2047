"""Products that keep changing, vectors included, while something else is measured; from a process of their own."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any

from cli.settings import Settings
from index.base import IndexUnavailable, Outcome, PartialUpdate, VectorIndex, VectorSpace
from index.documents import keywords
from index.factory import create_index
from index.text_analysis import Analyser
from topics.events import Product

_A_BATCH = 5


@contextmanager
def upserts(settings: Settings, spaces: Sequence[VectorSpace], products: Sequence[str], rate: float) -> Iterator[Any]:
    """`rate` products a second, those given over and over. Afterwards `.value` of what is yielded says how many."""
    context = multiprocessing.get_context("spawn")
    stop, written = context.Event(), context.Value("q", 0)
    process = context.Process(target=_upsert, args=(settings, spaces, products, rate, stop, written))
    process.start()
    try:
        while not written.value:
            if not process.is_alive():
                raise RuntimeError(f"the upserts ended before the first, with exit status {process.exitcode}")
            time.sleep(0.1)
        yield written
    finally:
        stop.set()
        process.join()
    if process.exitcode:
        raise RuntimeError(f"the upserts ended with exit status {process.exitcode}")


def _upsert(
    settings: Settings, spaces: Sequence[VectorSpace], products: Sequence[str], rate: float, stop: Event, written: Any
) -> None:
    index = create_index(settings.index, *spaces)
    changes = _changes(index, products)
    due = time.monotonic()
    batch = 0
    while not stop.wait(max(0.0, due - time.monotonic())):
        first = batch * _A_BATCH % len(changes)
        version = time.time_ns() // 1_000
        upserted = [_again(change, version) for change in changes[first : first + _A_BATCH]]
        try:
            applied = index.apply(upserted)
        except IndexUnavailable:  # too busy: the same again, as a worker does
            continue
        written.value += sum(one.outcome is Outcome.WRITTEN for one in applied)
        batch += 1
        due += len(upserted) / rate
    index.close()


def _changes(index: VectorIndex, products: Sequence[str]) -> list[PartialUpdate]:
    analyser = Analyser()
    states, documents, vectors = index.states(products), index.documents(products), index.vectors(products)
    return [
        PartialUpdate(
            product_id,
            states[product_id].version,
            document,
            keywords(Product.model_validate(document), analyser),
            states[product_id].hashes,
            states[product_id].hashes,
            vectors.get(product_id, {}),
        )
        for product_id, document in documents.items()
    ]


def _again(change: PartialUpdate, version: int) -> PartialUpdate:
    """A version that no later run finds too old."""
    return PartialUpdate(
        change.product_id, version, change.document, change.keywords, change.expects, change.hashes, change.vectors
    )
