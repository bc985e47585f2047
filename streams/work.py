"""One cut on its way through the stages: what each record became, and what is still to be done for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from PIL.Image import Image

from index.base import Change, ContentHashes, IndexedState, PartialUpdate, ProductRow, Tombstone, Vector
from streams.records import Record
from topics.events import InvalidEvent, Product, ProductDeletion

OutcomeName = Literal["indexed", "attributes_updated", "deleted", "stale"]


@dataclass(slots=True, eq=False)
class Deletion:
    """A tombstone to be written."""

    event: ProductDeletion
    record: Record
    version: int

    def change(self) -> Change:
        return Tombstone(self.event.id, self.version)

    def leaves(self) -> IndexedState:
        """What the index holds of the product once this is written."""
        return IndexedState(self.version, True, ContentHashes())

    def outcome(self) -> OutcomeName:
        return "deleted"


@dataclass(slots=True, eq=False)
class Update:
    """A product to be written. `text` and `image` are what an encoder must still read; None where nothing changed."""

    event: Product
    record: Record
    version: int
    held: ContentHashes | None  # what the index holds, None where it holds nothing usable
    hashes: ContentHashes
    document: dict[str, object]
    keywords: str
    text: str | None = None
    fetch_image: bool = False
    image: Image | None = None
    vectors: dict[str, Vector | None] = field(default_factory=dict)
    problem: str = ""
    encoded_at: float | None = None

    def change(self) -> Change:
        event = self.event
        if self.held is not None:
            return PartialUpdate(
                event.id, self.version, self.document, self.keywords, self.held, self.hashes, self.vectors
            )
        vectors = cast(Mapping[str, Vector], self.vectors)  # None only takes away what was held
        return ProductRow(event.id, self.version, self.document, self.keywords, self.hashes, vectors)

    def leaves(self) -> IndexedState:
        """What the index holds of the product once this is written."""
        return IndexedState(self.version, False, self.hashes)

    def outcome(self) -> OutcomeName:
        return "indexed" if self.held is None or self.vectors else "attributes_updated"


Task = Deletion | Update


@dataclass(slots=True)
class Settled:
    """A record whose event is done: what became of it."""

    record: Record
    product_id: str
    version: int
    outcome: OutcomeName
    problem: str = ""
    encoded_at: float | None = None
    searchable_at: float = 0.0


@dataclass(slots=True)
class Rejected:
    """A record that goes to the dead letters."""

    record: Record
    invalid: InvalidEvent


@dataclass(slots=True)
class Work:
    """Everything known of one cut. Tasks move to `settled` or `rejected`; at the end none is left."""

    received_at: float
    tasks: list[Task] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def updates(self) -> list[Update]:
        return [task for task in self.tasks if isinstance(task, Update)]

    def stale(self, record: Record, product_id: str, version: int) -> None:
        self.settled.append(Settled(record, product_id, version, "stale"))

    def reject(self, task: Task, invalid: InvalidEvent) -> None:
        """Take the task out: its record goes to the dead letters."""
        self.tasks.remove(task)
        self.rejected.append(Rejected(task.record, invalid))
