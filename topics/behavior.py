"""What people do, as User Behavior Insights says it: https://www.ubisearch.dev, schema 1.3.0.

Its event schema lists `click` both among the usual actions and as any other text, under `oneOf`, so that taken by the
letter it refuses every usual action. Millrace takes both. It is stricter where an empty name or 1.0 for 1 would name
nothing, and milder where an event has no position, or null for what may be left out.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeGuard

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import from_json

Text100 = Annotated[str, StringConstraints(max_length=100)]
Text256 = Annotated[str, StringConstraints(max_length=256)]
WholeNumber = Annotated[int, Field(strict=True)]
ListPlace = Annotated[int, Field(ge=1, lt=2**31)]
ObjectId = Annotated[str, StringConstraints(min_length=1, max_length=256)] | WholeNumber

_DAY_AND_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt _]\d\d:\d\d.*")
_PLACE_SCHEMA = {
    "type": "object",
    "oneOf": [
        {"properties": {"ordinal": {"type": "integer"}}, "required": ["ordinal"]},
        {
            "properties": {
                "xy": {
                    "type": "object",
                    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
                    "required": ["x", "y"],
                }
            },
            "required": ["xy"],
        },
    ],
}


def _day_and_time(time: Any) -> Any:
    """A number may be seconds or milliseconds since 1970, and a day alone any time of it: pydantic would guess."""
    if isinstance(time, int | float) or (isinstance(time, str) and not _DAY_AND_TIME.fullmatch(time)):
        raise ValueError("a timestamp is an ISO 8601 date-time")
    return time


def _is_number(value: Any) -> TypeGuard[float]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _at_one_place(position: dict[str, Any]) -> dict[str, Any]:
    ordinal, point = position.get("ordinal"), position.get("xy")
    is_place = _is_number(ordinal) and ordinal == int(ordinal)  # JSON Schema takes 3.0 for an integer
    is_point = isinstance(point, dict) and _is_number(point.get("x")) and _is_number(point.get("y"))
    if is_place == is_point:
        raise ValueError("a position has either ordinal, a whole number, or xy with the numbers x and y")
    return position


Position = Annotated[dict[str, Any], AfterValidator(_at_one_place), WithJsonSchema(_PLACE_SCHEMA)]


def _in_utc(time: datetime) -> datetime:
    """UBI lets the offset be left out, and does not say what that means."""
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


class EventObject(BaseModel):
    """What was acted upon."""

    model_config = ConfigDict(frozen=True, extra="allow")

    object_id: ObjectId
    object_id_type: Text100 | None = None
    object_id_field: Text100 | None = None
    internal_id: Text256 | WholeNumber | None = None


class EventAttributes(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    object: EventObject | None = None
    position: Position | None = Field(None, description="place in the list from 1 on, or point of the screen")


class BehaviorEvent(BaseModel):
    """One thing that somebody did. What UBI does not name is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    action_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="click, view, watch, impression, add_to_cart, purchase, or a word of your own",
        examples=["click"],
    )
    timestamp: Annotated[datetime, BeforeValidator(_day_and_time), AfterValidator(_in_utc)] = Field(
        description="when it happened, ISO 8601; UTC where it names no offset", examples=["2026-11-21T10:15:00Z"]
    )
    query_id: Text100 | None = Field(None, description="of the answer that was acted upon")
    session_id: Text100 | None = None
    client_id: Text100 | None = None
    user_id: Text100 | None = None
    application: Text100 | None = None
    message_type: Text100 | None = None
    message: Annotated[str, StringConstraints(max_length=1024)] | None = None
    user_query: str | None = None
    event_attributes: EventAttributes | None = None

    @property
    def product_id(self) -> str | None:
        """The product that was acted upon, where it is a product."""
        thing = self.event_attributes.object if self.event_attributes is not None else None
        if thing is None or thing.object_id_type not in (None, "product"):
            return None
        return str(thing.object_id)

    @property
    def actor(self) -> str:
        """Whoever did it, by the most lasting of the names that the event has; empty where it has none."""
        return self.user_id or self.client_id or self.session_id or ""

    @property
    def key(self) -> bytes | None:
        """What decides the partition: all events of one query lie in one."""
        return (self.query_id or self.actor).encode() or None


class QueryAttributes(BaseModel):
    """What Millrace says of a query beside what UBI names; shops may add what they like.

    Columns of the hits, in their order: `positions` (from 1) are where each was shown and `propensities` the chance
    with which it was; `retrieval_positions` and `retrieval_scores` are how the search that found it placed it before
    it was re-ranked. Left out: the places from 1 on, not known, as it was shown, not known.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    positions: tuple[ListPlace, ...] | None = None
    propensities: tuple[Annotated[float, Field(gt=0, le=1)], ...] | None = None
    retrieval_positions: tuple[ListPlace, ...] | None = None
    retrieval_scores: tuple[float, ...] | None = None
    releases: dict[str, str] = Field(default={}, description="of the models that answered, by role")
    arm: Text100 = Field("", description="of the experiment that the shopper is in")
    kind: Text100 = Field("", description="text, picture, text_and_picture, recommendations, rank")
    language: Text100 = ""
    context: dict[str, str] = Field(default={}, description="for instance the place or the device")


class BehaviorQuery(BaseModel):
    """What was asked, and what was shown in answer. What UBI does not name is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    query_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    user_query: str = Field(description="as the shopper wrote it; empty where nothing was written")
    timestamp: Annotated[datetime, BeforeValidator(_day_and_time), AfterValidator(_in_utc)]
    client_id: Text100 | None = None
    session_id: Text100 | None = None
    user_id: Text100 | None = None
    query_response_hit_ids: tuple[Annotated[str, StringConstraints(max_length=256)], ...] = ()
    query_attributes: QueryAttributes = QueryAttributes()

    @model_validator(mode="after")
    def _one_of_each_hit(self) -> Self:
        hits = len(self.query_response_hit_ids)
        for name in ("positions", "propensities", "retrieval_positions", "retrieval_scores"):
            said: Sequence[object] | None = getattr(self.query_attributes, name)
            if said is not None and len(said) != hits:
                raise ValueError(f"query_attributes.{name} are {len(said)} for {hits} query_response_hit_ids")
        return self

    @property
    def actor(self) -> str:
        """Whoever asked, by the most lasting of the names that the query has; empty where it has none."""
        return self.user_id or self.client_id or self.session_id or ""

    @property
    def key(self) -> bytes:
        """What decides the partition: a query lies with its events."""
        return self.query_id.encode()


def as_document(event: BehaviorEvent | BehaviorQuery) -> dict[str, Any]:
    """The UBI document, without what was left out."""
    return event.model_dump(mode="json", exclude_none=True)


def encode_event(event: BehaviorEvent | BehaviorQuery) -> bytes:
    """The document as JSON. Raises ValueError where what UBI does not name is nested too deep to be read again."""
    try:
        value = orjson.dumps(as_document(event))
        from_json(value)  # readers take less depth than writers
    except (ValueError, orjson.JSONEncodeError) as error:
        raise ValueError(f"its fields are nested too deep: {error}") from None
    return value
