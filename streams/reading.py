"""Records to what a topic says, and those that say nothing that can be read."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from streams.records import Record
from topics.events import InvalidEvent, InvalidReason
from topics.publisher import MAX_MESSAGE_BYTES

Model = TypeVar("Model", bound=BaseModel)


class Rejected(NamedTuple):
    """A record that goes to the dead letters of its topic."""

    record: Record
    why: InvalidEvent


def read_records(
    records: Iterable[Record], model: type[Model], most_bytes: int = MAX_MESSAGE_BYTES
) -> tuple[list[tuple[Record, Model]], list[Rejected]]:
    """What could be read, and what could not, each in order."""
    read: list[tuple[Record, Model]] = []
    rejected: list[Rejected] = []
    for record in records:
        value = record.value or b""
        said = read_value(value, model, most_bytes)
        if isinstance(said, InvalidEvent):
            rejected.append(Rejected(record, said))
        else:
            read.append((record, said))
    return read, rejected


def read_value(value: bytes, model: type[Model], most_bytes: int) -> Model | InvalidEvent:
    if len(value) > most_bytes:
        return InvalidEvent(InvalidReason.TOO_LARGE, f"{len(value)} bytes, {most_bytes} are allowed", value)
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        return _invalid(error, value)


def _invalid(error: ValidationError, raw: bytes) -> InvalidEvent:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    reason = InvalidReason.NOT_JSON if first["type"] == "json_invalid" else InvalidReason.INVALID_FIELDS
    return InvalidEvent(reason, f"{place}: {first['msg']}" if place else first["msg"], raw)
