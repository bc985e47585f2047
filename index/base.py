"""The seam between Millrace and a vector database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]

TEXT_FIELD: Final = "text_vector"
IMAGE_FIELD: Final = "image_vector"


class VectorIndexError(Exception):
    """The root of what this package raises."""


class IndexUnavailable(VectorIndexError):
    """The database cannot answer now; the same call may succeed later. The message names the address."""


class IndexRefused(VectorIndexError):
    """The database refuses this very request, now and later: a row it cannot hold, a filter it cannot read."""


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """The vectors of one encoder release: no others of the same dimension can be compared with them."""

    release: str
    dimension: int


class ContentHashes(NamedTuple):
    """What the vectors of a product were made from. Equal hashes mean that no encoder needs to run.

    `text`: the encoded text and the text encoder's release. `image_link`: the picture's address. `image`: the bytes
    of the picture and the image encoder's release. Empty where there is none (no picture, or none that could be read).
    """

    text: str = ""
    image_link: str = ""
    image: str = ""


class LogPosition(NamedTuple):
    """Where a record stands in the log of its product: the broker's time in milliseconds, and the offset."""

    timestamp: int = 0
    offset: int = -1

    def follows(self, other: "LogPosition") -> bool:
        """One of the two is enough: offsets begin anew in a new topic, and a broker's clock may be set back."""
        return self.timestamp > other.timestamp or self.offset > other.offset


NO_POSITION: Final = LogPosition()  # before every record


class IndexedState(NamedTuple):
    """What the index holds of one product: enough to decide what a new event changes.

    `position` is that of the record that wrote it.
    """

    version: int
    deleted: bool
    hashes: ContentHashes
    position: LogPosition = NO_POSITION


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product as the index keeps it.

    `document` is what a search answer shows and filters see: the product event's fields as JSON values, price as a
    number. `keywords` is the analysed text for BM25: tokens separated by spaces. `vectors` holds unit float32 vectors
    of shape (dimension,) by field; a product without a picture has no `image_vector`. `version` is in microseconds.
    """

    product_id: str
    version: int
    document: Mapping[str, Any]
    keywords: str
    hashes: ContentHashes
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    position: LogPosition = NO_POSITION


@dataclass(frozen=True, slots=True)
class PartialUpdate:
    """A new document and keywords for a product, and only those vectors that changed.

    It applies only where the index holds content `expects`; then it leaves `hashes` there. A vector that `vectors` does
    not name stays; `vectors={"image_vector": None}` takes the picture away. Without vectors it is an attribute-only
    change.
    """

    product_id: str
    version: int
    document: Mapping[str, Any]
    keywords: str
    expects: ContentHashes
    hashes: ContentHashes
    vectors: Mapping[str, Vector | None] = field(default_factory=dict)
    position: LogPosition = NO_POSITION


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The product is gone as of `version`; a row stays behind, so that an older event cannot bring it back.

    One that is not `dated` only ends a product that is there and was written by a record before it in the log.
    """

    product_id: str
    version: int
    dated: bool = True
    position: LogPosition = NO_POSITION


Change: TypeAlias = ProductRow | PartialUpdate | Tombstone


class Outcome(StrEnum):
    """What a change did to the index."""

    WRITTEN = "written"
    STALE = "stale"  # the index holds this version or a newer one
    CONFLICT = "conflict"  # a partial update whose product is missing, deleted or made from other content
    REFUSED = "refused"  # the database cannot hold this row; the others of the call are not hurt by it


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one change; `detail` says why it was refused."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on the document. Several conditions must all hold.

    `field` is a column (`brand`, `categories`, `price`, `currency`, `availability`, `rating`, `language`, `id`) or
    `attributes.<name>`. `any_of`: equal to one of; a list (`categories`, an attribute with several values) contains one
    of. `at_least`, `at_most`: inclusive, for numbers. The text "1" is not the number 1, and neither is true.
    """

    field: str
    any_of: tuple[str | float | bool, ...] = ()
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """Nearest products by inner product of unit vectors (= cosine), best first."""

    field: Literal["text_vector", "image_vector"]
    vector: Vector


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """Best products by BM25 over analysed keywords: tokens separated by spaces."""

    keywords: str


Query: TypeAlias = VectorQuery | KeywordQuery


@dataclass(frozen=True, slots=True)
class ScoredProduct:
    """A hit of one query; a higher score is a better one. `availability` is the document's, empty where it has none."""

    product_id: str
    score: float
    availability: str = ""


class VectorIndex(Protocol):
    """Products by id, vector and keyword. Every method is safe to call from several threads.

    All methods raise IndexUnavailable when the database does not answer, IndexRefused when it refuses the request.
    A read after a write of the same process sees that write.
    """

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        """What is held of these products, deleted ones included; unknown ids are left out.

        What another process wrote a moment ago may be missing: enough to plan by, since versions only grow and `apply`
        compares with the newest.
        """

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        """Apply changes, at most one a product, and answer in their order. A repeat answers STALE and changes nothing.

        A row that cannot be held answers REFUSED with a reason; the rest of the batch is applied. When this raises
        IndexUnavailable some changes may have been applied: call again with all of them.
        """

    def search(self, query: Query, limit: int, filters: Sequence[Filter] = ()) -> list[ScoredProduct]:
        """Up to `limit` products that are not deleted, best first; one without the queried vector never matches."""

    def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents of these products that are there and not deleted."""

    def scan(self) -> Iterator[dict[str, Any]]:
        """Every product's document once, in no order, deleted ones left out; of what changes meanwhile either state."""

    def vectors(self, product_ids: Sequence[str]) -> dict[str, dict[str, Vector]]:
        """By product the vectors that it has, by field; without products that are not there or deleted."""

    def count(self) -> int:
        """How many products are there and not deleted."""

    def flush(self) -> None:
        """Make what was written durable and fast to search. Call after a bulk load."""

    def close(self) -> None: ...
