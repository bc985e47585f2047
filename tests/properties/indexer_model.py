"""Round the real indexer: partitions with offsets, workers that read and commit them, and an index with troubles."""

import io
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from PIL import Image

from encoders.base import UnusableVector, Vectors
from encoders.hash import HashEncoder
from encoders.images import ImageError, ImageFailure
from encoders.settings import ImageLimits
from index.base import Applied, Change, IndexedState, IndexUnavailable, Outcome, Tombstone
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from streams.cutting import Cut, Cutter, Fetch
from streams.indexer import Indexer, IndexerParts
from streams.records import Record
from streams.work import Work
from tests.unit.streams.conftest import FixedRecord
from topics.codec import ProductCodec

PARTITIONS = {"a": 0, "b": 0, "c": 1}
CURSED = "cursed"  # a title that the text encoder refuses
REFUSED_PRICE = 13  # a price that the index refuses
SHOP = "https://shop.example/"
COLOURS = {"red.png": "red", "same-red.png": "red", "green.png": "green", "black.png": "black"}
Place = tuple[int, int]  # partition and offset


def _png(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(content, "PNG")
    return content.getvalue()


PICTURES = {SHOP + name: _png(colour) for name, colour in COLOURS.items()} | {SHOP + "broken.png": b"<html>"}


class ChoosyEncoder(HashEncoder):
    """The hash encoder; cursed words and black pictures give no vector."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        if bad := [position for position, text in enumerate(texts) if CURSED in text]:
            raise UnusableVector(bad, self.release)
        return super().encode_texts(texts)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        if bad := [position for position, image in enumerate(images) if not any(image.convert("L").tobytes())]:
            raise UnusableVector(bad, self.release)
        return super().encode_images(images)


class Pictures:
    """An image source whose hosts are away for the links in `failing`."""

    def __init__(self) -> None:
        self.failing: frozenset[str] = frozenset()
        self.failed: set[str] = set()

    def fetch(self, link: str) -> bytes:
        if link in self.failing:
            self.failed.add(link)
            raise ImageError(ImageFailure.TIMEOUT, "the host is away", transient=True)
        return PICTURES[link]


class TroubledIndex(MemoryIndex):
    """The exact index; `outages` tells for the next calls how many changes are applied before the answer is lost.

    `meanwhile` is what another worker does before the next change is applied.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, dimension)
        self.outages: deque[int] = deque()
        self.meanwhile: deque[Callable[[], None]] = deque()

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        self._lose(self.outages.popleft() if self.outages else None)
        return super().states(product_ids)

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        if self.meanwhile:
            self.meanwhile.popleft()()
        outage = self.outages.popleft() if self.outages else None
        applied = [self._apply_or_refuse(change) for change in changes[:outage]]
        self._lose(outage)
        return applied

    def _apply_or_refuse(self, change: Change) -> Applied:
        if not isinstance(change, Tombstone) and change.document.get("price") == REFUSED_PRICE:
            return Applied(Outcome.REFUSED, "an unlucky price")
        return super().apply([change])[0]

    def _lose(self, outage: int | None) -> None:
        if outage is not None:
            raise IndexUnavailable("memory is away")


class Shop:
    """What all workers share: the log, the commits, the index, and who may read which partition."""

    def __init__(self) -> None:
        self.encoder = ChoosyEncoder(dimension=64, batch_size=2)
        self.index = TroubledIndex(self.encoder.dimension)
        self.pictures = Pictures()
        self.parts = IndexerParts(
            codec=ProductCodec(),
            index=self.index,
            analyser=Analyser(),
            text_encoder=self.encoder,
            image_encoder=self.encoder,
            images=self.pictures,  # type: ignore[arg-type]
            image_limits=ImageLimits(),
            metrics=create_metrics(create_registry()),
        )
        self.logs: list[list[FixedRecord]] = [[] for _ in set(PARTITIONS.values())]
        self.committed = [0 for _ in self.logs]
        self.generations = [0 for _ in self.logs]
        self.told: Counter[Place] = Counter()
        self.rejected: Counter[Place] = Counter()
        self.now = 0

    def append(self, key: str, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        partition = PARTITIONS[key]
        log = self.logs[partition]
        log.append(
            FixedRecord(key.encode(), value, partition=partition, offset=len(log), timestamp=self.now, headers=headers)
        )

    def append_product(self, key: str, version: int, fields: dict[str, object]) -> None:
        self.append(key, json.dumps({"id": key, "updated_at": version, "currency": "EUR", **fields}).encode())

    def tell(self, cut: Cut, work: Work) -> None:
        """Each record of the cut is told once, in its read."""
        assert not work.tasks
        assert not work.unplanned
        rejected = [place_of(rejected.record) for rejected in work.rejected]
        told = rejected + [place_of(settled.record) for settled in work.settled]
        assert sorted(told) == sorted(map(place_of, cut.records))
        self.told.update(told)
        self.rejected.update(rejected)


def place_of(record: Record) -> Place:
    return record.partition, record.offset


@dataclass
class _Reading:
    """One assignment of a partition to a worker: its fetches in order, and which of them are acknowledged."""

    generation: int
    position: int
    ends: deque[list[int]] = field(default_factory=deque)  # [next offset, acknowledged]


class Worker:
    """A worker that goes on step by step. What it has in flight stays with it when its partitions are given away."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.indexer = Indexer(shop.parts, picture_fetchers=1, clock=lambda: 5.0, sleep=lambda _: self._others_go_on())
        self._cutter = Cutter(shop.encoder.batch_size, 0.0)
        self._prepared: deque[tuple[Cut, Work]] = deque()
        self._encoded: deque[tuple[Cut, Work]] = deque()
        self.reports: list[tuple[Cut, Work]] = []
        self._readings: dict[int, _Reading] = {}
        self._busy: set[str] = set()

    def assign(self, partition: int) -> None:
        self._readings[partition] = _Reading(self._shop.generations[partition], self._shop.committed[partition])

    def revoke(self, partition: int) -> None:
        self._readings.pop(partition, None)

    def owns(self, partition: int) -> bool:
        return partition in self._readings

    def fetch(self, partition: int, count: int) -> bool:
        reading = self._readings.get(partition)
        if reading is None:
            return False
        records = self._shop.logs[partition][reading.position : reading.position + count]
        if not records:
            return False
        reading.position += len(records)
        end = [reading.position, False]
        reading.ends.append(end)
        self._cutter.add(Fetch(records, lambda: self._acknowledge(partition, reading, end), 0.0), 0.0)
        return True

    def prepare(self) -> bool:
        if len(self._prepared) >= 3 or "prepare" in self._busy or (cut := self._cutter.cut(1.0)) is None:
            return False
        with self._one_thread("prepare"):
            self._prepared.append((cut, self.indexer.prepare(cut.records, 0.0)))
        return True

    def encode(self) -> bool:
        if len(self._encoded) >= 3 or "encode" in self._busy or not self._prepared:
            return False
        with self._one_thread("encode"):
            cut, work = self._prepared.popleft()
            self._encoded.append((cut, self.indexer.encode(work)))
        return True

    def write(self) -> bool:
        if "write" in self._busy or not self._encoded:
            return False
        with self._one_thread("write"):
            cut, work = self._encoded.popleft()
            self.reports.append((cut, self.indexer.write(work)))
        return True

    def report(self, which: int = 0) -> bool:
        """The broker takes the reports in any order."""
        if not self.reports:
            return False
        cut, work = self.reports.pop(which % len(self.reports))
        self._shop.tell(cut, work)
        for fetch, count in cut.shares:
            fetch.done(count)
        return True

    def finish(self) -> None:
        """Everything that is in flight, to its end."""
        while self.report() or self.write() or self.encode() or self.prepare():
            pass

    def _acknowledge(self, partition: int, reading: _Reading, end: list[int]) -> None:
        end[1] = True
        while reading.ends and reading.ends[0][1]:
            offset = reading.ends.popleft()[0]
            if reading.generation == self._shop.generations[partition]:  # the broker refuses a zombie's commit
                self._shop.committed[partition] = offset

    @contextmanager
    def _one_thread(self, stage: str) -> Iterator[None]:
        self._busy.add(stage)
        yield
        self._busy.remove(stage)

    def _others_go_on(self) -> None:
        if self._shop.index.meanwhile:
            self._shop.index.meanwhile.popleft()()
