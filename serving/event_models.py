"""What POST /v1/events takes and answers."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from topics.behavior import BehaviorEvent, EventAttributes, Position


def _counted_from_one(position: dict[str, Any]) -> dict[str, Any]:
    ordinal: Any = position.get("ordinal")  # beside a point of the screen it may be anything else than a whole number
    is_place = type(ordinal) is int or (isinstance(ordinal, float) and ordinal.is_integer())
    if is_place and ordinal < 1:
        raise ValueError("ordinal counts from 1: the first product of an answer has the place 1")
    return position


_POSITION_SCHEMA = {
    "type": "object",
    "oneOf": [
        {"properties": {"ordinal": {"type": "integer", "minimum": 1}}, "required": ["ordinal"]},
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


class SentAttributes(EventAttributes):
    position: Annotated[Position, AfterValidator(_counted_from_one), WithJsonSchema(_POSITION_SCHEMA)] | None = Field(
        None, description="place in the list from 1 on, or point of the screen"
    )


class SentEvent(BehaviorEvent):
    """One thing that somebody did, as User Behavior Insights 1.3 says it. What it does not name is kept as it is."""

    event_attributes: SentAttributes | None = None


class EventsAccepted(BaseModel):
    """The broker holds the events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: int = Field(examples=[1])
    notes: list[str] | None = Field(
        default=None, description="what will count less than it may seem, and what to send instead; left out: nothing"
    )
