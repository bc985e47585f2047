"""The job that all do, with an encoder and an index that do nothing, and the meter that all are measured by."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import orjson
from PIL.Image import Image

from encoders.base import Vectors
from encoders.product_text import text_to_encode
from index.base import (
    TEXT_FIELD,
    Applied,
    Change,
    ContentHashes,
    Filter,
    IndexedState,
    Outcome,
    ProductRow,
    Query,
    ScoredProduct,
    Vector,
)
from index.documents import document, keywords
from index.text_analysis import Analyser
from topics.codec import ProductCodec
from topics.events import Product

BATCH = 500  # records at once, wherever a framework lets one say

_WRITTEN = Applied(Outcome.WRITTEN)


@dataclass(frozen=True, slots=True)
class Task:
    """Where one process reads, as which group, and how many events it is measured over."""

    bootstrap_servers: str
    group: str
    events: int
    folder: str  # empty, for what a framework stores

    @classmethod
    def from_arguments(cls) -> "Task":
        return cls(**json.loads(sys.argv[-1]))


class NullEncoder:
    """Gives the same vector to everything."""

    release = "null"
    dimension = 8
    batch_size = BATCH

    def understands(self, text: str) -> bool:
        return True

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), self.dimension), self.dimension**-0.5, np.float32)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return np.full((len(images), self.dimension), self.dimension**-0.5, np.float32)


class NullIndex:
    """Holds nothing and takes everything."""

    def __init__(self) -> None:
        self.applied = 0

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        return {}

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        self.applied += len(changes)
        return [_WRITTEN] * len(changes)

    def search(self, query: Query, limit: int, filters: Sequence[Filter] = ()) -> list[ScoredProduct]:
        return []

    def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {}

    def scan(self) -> Iterator[dict[str, Any]]:
        return iter(())

    def vectors(self, product_ids: Sequence[str]) -> dict[str, dict[str, Vector]]:
        return {}

    def count(self) -> int:
        return 0

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None


class NullAnalyser(Analyser):
    """Segmenting and stemming belong to the index, not to the stream."""

    def __init__(self) -> None:
        """Without the segmenter and the stemmers."""

    def analyse(self, text: str, language: str = "en") -> str:
        return text


@dataclass(frozen=True, slots=True)
class Received:
    """One record. `timestamp` is in milliseconds since 1970."""

    key: bytes
    value: bytes
    timestamp: int


class Job:
    """Product events to null index, one or many at a time; gives the message for `catalog.indexed` for each.

    What Millrace's agent does besides is not asked of the others: versions and turns within a batch, content hashes,
    pictures, dead letters, metrics, and trying again while the index is away.
    """

    def __init__(self) -> None:
        self._codec = ProductCodec()
        self._index = NullIndex()
        self._encoder = NullEncoder()
        self._analyser = NullAnalyser()

    def index(self, batch: Sequence[Received]) -> list[bytes]:
        received_at = time.time()
        products = [self._product(record) for record in batch]
        self._index.states([product.id for product in products])
        vectors = self._encoder.encode_texts([text_to_encode(product) for product in products])
        encoded_at = time.time()
        rows = [self._row(product, vector) for product, vector in zip(products, vectors, strict=True)]
        self._index.apply(rows)
        times = {"received_at": received_at, "encoded_at": encoded_at, "searchable_at": time.time()}
        return [_outcome(row, record, times) for row, record in zip(rows, batch, strict=True)]

    def _product(self, record: Received) -> Product:
        event = self._codec.decode(record.key, record.value, record.timestamp)
        if not isinstance(event, Product):
            raise TypeError(f"the benchmark sends products only, this is {event!r}")
        return event

    def _row(self, product: Product, vector: np.ndarray[Any, np.dtype[np.float32]]) -> ProductRow:
        words = keywords(product, self._analyser)
        return ProductRow(
            product.id, product.version, document(product), words, ContentHashes("text"), {TEXT_FIELD: vector}
        )


def _outcome(row: ProductRow, record: Received, times: Mapping[str, float]) -> bytes:
    return orjson.dumps(
        {
            "product_id": row.product_id,
            "version": row.version,
            "outcome": "indexed",
            "releases": {"text": "null", "image": "null"},
            "problems": [],
            "event_at": record.timestamp / 1000,
            **times,
        }
    )


class Meter:
    """CPU (user and system, all threads) and wall time of this process, from its first event to its last."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._cpu = 0.0
        self._wall = 0.0
        self.seen = 0

    def saw(self, events: int) -> None:
        """Before they are worked on; the first call starts the clocks."""
        if not self.seen:
            self._cpu, self._wall = time.process_time(), time.perf_counter()
        self.seen += events

    def finish(self) -> NoReturn:
        """Print what was measured and end the process at once."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        if self.seen < self._events:
            sys.exit(f"only {self.seen} of {self._events} events came")
        measured = {"cpu_us_per_event": cpu / self.seen * 1e6, "events_per_second": self.seen / wall}
        sys.stdout.write(json.dumps(measured) + "\n")
        sys.stdout.flush()
        os._exit(0)
