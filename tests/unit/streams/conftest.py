"""An indexer over the exact index and the hash encoder, with everything that a test may want to look at."""

import base64
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from encoders.base import UnusableVector, Vectors
from encoders.hash import HashEncoder
from encoders.image_sources import ImageSource
from encoders.settings import ImageLimits, ImageSourceSettings
from index.base import Applied, Change, IndexedState, IndexUnavailable, Outcome
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from streams.indexer import Indexer, IndexerParts
from streams.work import Work
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import ProductCodec

ANALYSER = Analyser()


@dataclass(frozen=True)
class FixedRecord:
    """A record as a test writes it."""

    key: bytes | None
    value: bytes | None
    topic: str = CATALOG_PRODUCTS
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_000
    headers: Sequence[tuple[str, bytes]] = ()


def product(product_id: str, version: int, **fields: Any) -> FixedRecord:
    """An event at `version` milliseconds."""
    value = {"id": product_id, "updated_at": version, "title": f"product {product_id}", **fields}
    return FixedRecord(product_id.encode(), json.dumps(value).encode())


def deletion(product_id: str, version: int) -> FixedRecord:
    return FixedRecord(product_id.encode(), None, headers=[("updated_at_us", b"%d" % (version * 1000))])


def picture(colour: str, size: tuple[int, int] = (8, 8)) -> str:
    """A data: link to a PNG of one colour."""
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, "PNG")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


class CountingEncoder(HashEncoder):
    """The hash encoder, counting its work; what is in `unusable` gives no vector."""

    def __init__(self, batch_size: int = 64) -> None:
        super().__init__(batch_size=batch_size)
        self.texts: list[str] = []
        self.images = 0
        self.unusable: set[str] = set()
        self.refuse_images = False

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        bad = [position for position, text in enumerate(texts) if text in self.unusable]
        if bad:
            raise UnusableVector(bad, self.release)
        self.texts += texts
        return super().encode_texts(texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        if self.refuse_images and images:
            raise UnusableVector(range(len(images)), self.release)
        self.images += len(images)
        return super().encode_images(images)


class TroubledIndex(MemoryIndex):
    """The exact index, away for the next `failures` calls, refusing the ids in `refused`."""

    failures = 0
    refused: frozenset[str] = frozenset()
    before_apply: Callable[[], None] | None = None

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        self._fail()
        return super().states(product_ids)

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        self._fail()
        if self.before_apply is not None:
            act, self.before_apply = self.before_apply, None
            act()
        return [
            Applied(Outcome.REFUSED, "too wide")
            if change.product_id in self.refused
            else super(TroubledIndex, self).apply([change])[0]
            for change in changes
        ]

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise IndexUnavailable("memory is away")


@dataclass
class Bench:
    """An indexer and all that is round it."""

    encoder: CountingEncoder = field(default_factory=CountingEncoder)
    waits: int = 0

    def __post_init__(self) -> None:
        dimension = self.encoder.dimension
        self.index = TroubledIndex(dimension, dimension, 1.2, 0.75)
        self.registry = create_registry()
        self.metrics = create_metrics(self.registry)
        parts = IndexerParts(
            codec=ProductCodec(),
            index=self.index,
            analyser=ANALYSER,
            text_encoder=self.encoder,
            image_encoder=self.encoder,
            images=ImageSource(ImageSourceSettings()),
            image_limits=ImageLimits(),
            metrics=self.metrics,
        )
        self.parts = parts
        self.indexer = Indexer(
            parts, picture_fetchers=2, clock=lambda: 5.0, on_wait=self._count_wait, sleep=lambda _: None
        )

    def run(self, *records: FixedRecord) -> Work:
        """All stages, one after the other."""
        return self.indexer.write(self.indexer.encode(self.indexer.prepare(list(records), received_at=2.0)))

    def counted(self, name: str, **labels: str) -> float:
        """The value of a counter, 0 where it never counted."""
        return self.registry.get_sample_value(f"millrace_{name}", labels) or 0.0

    def _count_wait(self) -> None:
        self.waits += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()
