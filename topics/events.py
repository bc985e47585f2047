"""The events on Millrace's topics, checked at the border."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    model_validator,
)

from topics.origin import call_stack

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

MAX_ID_LENGTH = 200
NUMBER_AS_TEXT = re.compile(r"\s*[+-]?\d*\.?\d+\s*")  # of which pydantic would make a time of a unit it guesses

ProductId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_LENGTH, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Link = Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=r"^(https?|file|data):\S+$")]
AttributeText = Annotated[str, StringConstraints(max_length=10_000)]


def _no_integer(value: Any) -> Any:
    """An integer beyond 64 bits must not slip in as a float that has lost its last digits."""
    if isinstance(value, int):
        raise ValueError
    return value


class _SaidAtOnce:
    """One error for the whole union, at the attribute itself, instead of one for each of its members."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        message = (
            "an attribute is a text of at most 10,000 characters, a list of such, true, false, or a number; "
            "whole numbers have 64 bits at most: send longer ones as text"
        )
        return {**handler(source), "custom_error_type": "attribute_value", "custom_error_message": message}


Int64 = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]
# The first that fits, most frequent first: trying all takes half as long again. The float stands last, so that its
# check in Python runs for floats only; bool and int are strict, so that neither takes the other's values or a float's.
AttributeValue = Annotated[
    AttributeText
    | Annotated[bool, Field(strict=True)]
    | Int64
    | list[AttributeText]
    | Annotated[float, BeforeValidator(_no_integer)],
    Field(union_mode="left_to_right"),
    _SaidAtOnce(),
]


def _epoch_milliseconds(value: Any) -> Any:
    """Integers are epoch milliseconds, as Debezium sends them; pydantic alone would guess between s and ms."""
    if isinstance(value, bool | float):
        raise ValueError("a version is an ISO 8601 date-time with time zone, or integer epoch milliseconds")
    if isinstance(value, int):
        try:
            return _EPOCH + timedelta(milliseconds=value)
        except OverflowError:
            raise ValueError(f"{value} milliseconds since 1970 is no date") from None
    return value


Version = Annotated[
    AwareDatetime,
    Field(ge=_EPOCH, lt=datetime(2200, 1, 1, tzinfo=UTC)),  # next to the type: checked without a call of Python
    BeforeValidator(_epoch_milliseconds, json_schema_input_type=AwareDatetime | int),
]


def version_of(updated_at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: the total order of one product's changes."""
    return (updated_at - _EPOCH) // _MICROSECOND


class Product(BaseModel):
    """A full product, as its newest event says it is; fields follow schema.org Product and merchant feeds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    id: ProductId
    updated_at: Version = Field(description="when the shop changed it; an older one never overwrites a newer one")
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
    description: Annotated[str, StringConstraints(max_length=20_000)] = ""
    brand: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    categories: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    price: Annotated[Decimal, Field(ge=0, le=1_000_000_000)] | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = Field(None, description="ISO 4217")
    availability: Literal["in_stock", "out_of_stock", "preorder", "backorder", "discontinued"] = "in_stock"
    rating: Annotated[float, Field(ge=0, le=5)] | None = None
    rating_count: Annotated[int, Field(ge=0, le=2**53)] | None = None
    image_links: Annotated[tuple[Link, ...], Field(max_length=20)] = ()
    video_link: Link | None = None
    attributes: Annotated[dict[Name, AttributeValue], Field(max_length=500)] = Field(default_factory=dict)
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = Field(
        "en", description="BCP 47 tag of title and description"
    )

    @model_validator(mode="after")
    def _price_has_a_currency(self) -> Self:
        if self.price is not None and self.currency is None:
            raise ValueError("price without currency: send an ISO 4217 code such as EUR or CNY")
        return self

    @property
    def version(self) -> int:
        """Microseconds since 1970."""
        return version_of(self.updated_at)


@dataclass(frozen=True, slots=True)
class ProductDeletion:
    """A tombstone: the product is gone as of `version` (microseconds since 1970).

    `dated`: the shop gave the version. Otherwise it is the broker's time, which may be later than changes that the shop
    made after it: such a tombstone only ends what is there.
    """

    id: str
    version: int
    dated: bool = True


class InvalidReason(StrEnum):
    """Why a message could not be read or used: the label of its dead letter and its counter."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    INVALID_VERSION = "invalid_version"
    INVALID_FIELDS = "invalid_fields"
    ENCODER_REFUSED = "encoder_refused"
    INDEX_REFUSED = "index_refused"


@dataclass(frozen=True, slots=True)
class InvalidEvent:
    """A message that cannot be read: its raw bytes, the reason for counters, the detail for a person.

    `stack` tells where in Millrace it was refused.
    """

    reason: InvalidReason
    detail: str
    raw: bytes
    stack: str = field(default_factory=call_stack, compare=False, repr=False)


ProductEvent = Product | ProductDeletion


class ProductIndexed(BaseModel):
    """What `catalog.indexed` says: what became of one product event, and when it passed each stage.

    Times are seconds since 1970 (UTC); a stage that a product did not need (no encoder ran) is null.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_id: str
    version: int = Field(description="microseconds since 1970")
    outcome: Literal["indexed", "attributes_updated", "deleted", "stale"]
    index: str | None = Field(
        None, description="alias of the collection that a backfill wrote to; null or absent: the live one"
    )
    releases: dict[str, str] = Field(description="encoder release by role: text, image")
    problems: list[str] = Field(default_factory=list, description="for instance a picture that could not be read")
    event_at: float = Field(description="the broker's time on the record")
    received_at: float
    encoded_at: float | None
    searchable_at: float


class DeadLetterResolved(BaseModel):
    """What `dead-letters.resolutions` says: what somebody did with a dead letter.

    Keyed by the letter's id; the newest one counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    letter: str = Field(description="id of the dead letter: topic/partition/offset/timestamp in ms of its source")
    action: Literal["replayed", "discarded"]
    at: float = Field(description="seconds since 1970 (UTC)")
    by: str = Field(description="who did it")
    note: str = ""
    fixed: bool = Field(False, description="another message than the dead one was sent")
    partition: int | None = Field(None, description="where in the source topic the replayed message lies")
    offset: int | None = None
