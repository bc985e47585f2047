"""One cut on its way through the stages: what each record became, and what is still to be done for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

from PIL.Image import Image

from index.base import Change, ContentHashes, IndexedState, LogPosition, PartialUpdate, ProductRow, Tombstone, Vector
from streams.records import Record
from topics.events import InvalidEvent, Product, ProductDeletion, ProductEvent

OutcomeName = Literal["indexed", "attributes_updated", "deleted", "stale"]


class Arrival(NamedTuple):
    """An event and the record that it came in."""

    record: Record
    event: ProductEvent

    @property
    def is_undated(self) -> bool:
        return isinstance(self.event, ProductDeletion) and not self.event.dated


@dataclass(slots=True, eq=False)
class Deletion:
    """A tombstone to be written.

    `superseded`: events of the product that came with it and count only if it is rejected. `later`: those that count
    only once it is written.
    """

    event: ProductDeletion
    record: Record
    version: int
    superseded: Sequence[Arrival] = ()
    later: Sequence[Arrival] = ()

    def change(self) -> Change:
        return Tombstone(self.event.id, self.version, self.event.dated, position_of(self.record))

    def leaves(self) -> IndexedState:
        """What the index holds of the product once this is written."""
        return IndexedState(self.version, True, ContentHashes(), position_of(self.record))

    def outcome(self) -> OutcomeName:
        return "deleted"


@dataclass(slots=True, eq=False)
class Update:
    """A product to be written. `text` and `image` are what an encoder must still read; None where nothing changed.

    `superseded`: events of the same product that came with it and count only if it is rejected. `later`: those that
    count only once it is written.
    """

    event: Product
    record: Record
    version: int
    held: ContentHashes | None  # what the index holds, None where it holds nothing usable
    hashes: ContentHashes
    document: dict[str, object]
    keywords: str
    superseded: Sequence[Arrival] = ()
    later: Sequence[Arrival] = ()
    text: str | None = None
    fetch_image: bool = False
    image: Image | None = None
    vectors: dict[str, Vector | None] = field(default_factory=dict)
    problem: str = ""
    encoded_at: float | None = None

    def change(self) -> Change:
        id_, position = self.event.id, position_of(self.record)
        if self.held is not None:
            return PartialUpdate(
                id_, self.version, self.document, self.keywords, self.held, self.hashes, self.vectors, position
            )
        vectors = cast(Mapping[str, Vector], self.vectors)  # None only takes away what was held
        return ProductRow(id_, self.version, self.document, self.keywords, self.hashes, vectors, position)

    def leaves(self) -> IndexedState:
        """What the index holds of the product once this is written."""
        return IndexedState(self.version, False, self.hashes, position_of(self.record))

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
    """Everything known of one cut. Tasks move to `settled`, `rejected` or `unplanned`; at the end none is left.

    `unplanned`: what can be decided only by what the index holds once everything before it is written.
    """

    received_at: float
    tasks: list[Task] = field(default_factory=list)
    unplanned: list[Arrival] = field(default_factory=list)
    product_ids: frozenset[str] = frozenset()  # those that are remembered as on the way
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
        self.unplanned += (*task.superseded, *task.later)

    def plan_again(self, task: Task) -> None:
        """It rests on something that is not so. The caller takes it out of `tasks`."""
        self.unplanned += (Arrival(task.record, task.event), *task.superseded, *task.later)


def by_product(arrivals: Iterable[Arrival]) -> dict[str, list[Arrival]]:
    """Arrivals of each product in the order of the log."""
    products: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        products.setdefault(arrival.event.id, []).append(arrival)
    for together in products.values():
        if len(together) > 1:
            together.sort(key=lambda arrival: (arrival.record.partition, arrival.record.offset))
    return products


def first_turn(arrivals: Sequence[Arrival]) -> tuple[Arrival, list[Arrival], Sequence[Arrival]]:
    """Of one product: the arrival that counts now, those that count only without it, and those that count after it.

    Of dated events the highest version counts, of equal ones the first, in whatever order they came. A tombstone
    without a date ends what is there when its turn comes, so it has a turn of its own.
    """
    if len(arrivals) == 1:  # as nearly always
        return arrivals[0], [], ()
    ends = next((place for place, arrival in enumerate(arrivals) if arrival.is_undated), len(arrivals)) or 1
    newest = max(arrivals[:ends], key=lambda arrival: arrival.event.version)
    return newest, [arrival for arrival in arrivals[:ends] if arrival is not newest], arrivals[ends:]


def position_of(record: Record) -> LogPosition:
    return LogPosition(record.timestamp, record.offset)
