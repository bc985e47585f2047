"""One cut on its way through the stages: what each record became, and what is still to be done for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

from PIL.Image import Image

from index.base import Change, ContentHashes, IndexedState, PartialUpdate, ProductRow, Tombstone, Vector
from streams.records import Record
from topics.events import InvalidEvent, Product, ProductDeletion, ProductEvent

OutcomeName = Literal["indexed", "attributes_updated", "deleted", "stale"]


class Arrival(NamedTuple):
    """An event and the record that it came in."""

    record: Record
    event: ProductEvent


@dataclass(slots=True, eq=False)
class Deletion:
    """A tombstone to be written. `superseded`: events of the product that came with it and count only without it."""

    event: ProductDeletion
    record: Record
    version: int
    superseded: Sequence[Arrival] = ()

    def change(self) -> Change:
        return Tombstone(self.event.id, self.version)

    def leaves(self) -> IndexedState:
        """What the index holds of the product once this is written."""
        return IndexedState(self.version, True, ContentHashes())

    def outcome(self) -> OutcomeName:
        return "deleted"


@dataclass(slots=True, eq=False)
class Update:
    """A product to be written. `text` and `image` are what an encoder must still read; None where nothing changed.

    `superseded`: events of the same product that came with it and count only if it is rejected.
    """

    event: Product
    record: Record
    version: int
    held: ContentHashes | None  # what the index holds, None where it holds nothing usable
    hashes: ContentHashes
    document: dict[str, object]
    keywords: str
    superseded: Sequence[Arrival] = ()
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
    """Everything known of one cut. Tasks move to `settled`, `rejected` or `unplanned`; at the end none is left."""

    received_at: float
    tasks: list[Task] = field(default_factory=list)
    unplanned: list[Arrival] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def updates(self) -> list[Update]:
        return [task for task in self.tasks if isinstance(task, Update)]

    def stale(self, arrivals: Iterable[Arrival]) -> None:
        for record, event in arrivals:
            self.settled.append(Settled(record, event.id, event.version, "stale"))

    def reject(self, task: Task, invalid: InvalidEvent) -> None:
        """To the dead letters; what it superseded counts again. The caller takes it out of `tasks`."""
        self.rejected.append(Rejected(task.record, invalid))
        self.unplanned += task.superseded

    def plan_again(self, task: Task) -> None:
        """It rests on something that is not so. The caller takes it out of `tasks`."""
        self.unplanned += (Arrival(task.record, task.event), *task.superseded)


def newest_first(arrivals: Iterable[Arrival]) -> dict[str, list[Arrival]]:
    """Arrivals of each product, in the order in which they came, with the one that counts in front.

    That is the highest version; of equal ones the first. A tombstone without a date of its own ends what came before it
    and nothing later, and after another deletion it says nothing new (Debezium sends one after each).
    """
    products: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        others = products.get(arrival.event.id)
        if others is None:
            products[arrival.event.id] = [arrival]
        elif _counts_more(arrival.event, others):
            others.insert(0, arrival)
        else:
            others.append(arrival)
    return products


def _counts_more(event: ProductEvent, others: Sequence[Arrival]) -> bool:
    if _is_undated(event):
        return not any(isinstance(other.event, ProductDeletion) for other in others)
    return _is_undated(others[0].event) or event.version > others[0].event.version


def _is_undated(event: ProductEvent) -> bool:
    return isinstance(event, ProductDeletion) and not event.dated
