"""Dead letters as JSON, for programs and for a person who fixes them in a file."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from topics.dead_letter_log import FiledLetter
from topics.dead_letters import RawHeaders

# What a letter's form tells besides its content: a file of fixed letters may still have it, or not.
_TOLD = frozenset(
    {"topic", "partition", "offset", "source_time", "refused_at", "reason", "detail", "stack", "repeats"}
    | {"replayed_from", "resolution", "refused_now"}
)


@dataclass(frozen=True, slots=True)
class FixedMessage:
    """What shall go in for the dead letter `letter`, from a line of a file (from 1)."""

    line: int
    letter: str
    key: bytes | None
    value: bytes | None
    headers: RawHeaders


@dataclass(frozen=True, slots=True)
class UnusableLine:
    """A line of which no message can be made, and why."""

    line: int
    reason: str


def headline_form(filed: FiledLetter) -> dict[str, Any]:
    """A letter without its message; a key that is no UTF-8 stands as base64 under `key_base64`."""
    letter, source = filed.letter, filed.letter.source
    return {
        "id": filed.id,
        "topic": source.topic,
        "partition": source.partition,
        "offset": source.offset,
        "source_time": iso_time(source.timestamp_ms),
        "refused_at": iso_time(filed.refused_at_ms),
        "reason": letter.reason,
        "detail": letter.detail,
        **_bytes_form("key", letter.key),
        "repeats": filed.repeats,
        "resolution": None if filed.resolution is None else filed.resolution.model_dump(),
    }


def letter_form(filed: FiledLetter) -> dict[str, Any]:
    """A letter with all that is known of it; bytes that are no UTF-8 stand as base64 under `value_base64` and so on."""
    letter = filed.letter
    return {
        **headline_form(filed),
        "stack": letter.stack.splitlines(),
        **_bytes_form("value", letter.value),
        "headers": [{"name": name, **_bytes_form("value", content)} for name, content in letter.headers],
        "cut": letter.cut,
        "replayed_from": letter.replayed_from,
    }


def iso_time(milliseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds; `unknown` for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return "unknown"


def read_fixed(content: bytes) -> Iterator[FixedMessage | UnusableLine]:
    """Messages of a file in the form of `letter_form`: JSON Lines, what `--json` printed, or one JSON document."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        yield from _read_lines(content)
    else:
        yield from (_fixed(1, form) for form in _forms(document))


def _read_lines(content: bytes) -> Iterator[FixedMessage | UnusableLine]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield UnusableLine(number, f"no JSON: {error}")
        else:
            yield from (_fixed(number, form) for form in _forms(document))


def _forms(document: Any) -> Sequence[Any]:
    if isinstance(document, dict) and isinstance(document.get("letters"), list):
        document = document["letters"]
    return document if isinstance(document, list) else [document]


def _fixed(line: int, form: Any) -> FixedMessage | UnusableLine:
    if isinstance(form, Mapping):
        form = {name: value for name, value in form.items() if name not in _TOLD}
    try:
        fixed = _Form.model_validate(form)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        return UnusableLine(line, f"{place}: {first['msg']}" if place else first["msg"])
    headers = tuple((header.name, header.content("value")) for header in fixed.headers)
    return FixedMessage(line, fixed.id, fixed.content("key"), fixed.content("value"), headers)


def _decoded(text: Any) -> Any:
    """Strictly: a slip in a file must not lose a byte."""
    return base64.b64decode(text, validate=True) if isinstance(text, str) else text


def _encoded(document: Any) -> Any:
    """With every digit of a number, as the file has it."""
    if document is None:
        return None
    if not isinstance(document, dict):
        raise ValueError("give a JSON object")
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError(str(error)) from None


Base64 = Annotated[bytes, BeforeValidator(_decoded)]


class _Content(BaseModel):
    """Bytes as text, as base64, or as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str | None = None
    value_base64: Base64 | None = None

    def content(self, name: str) -> bytes | None:
        given = [getattr(self, each) for each in _spellings(name) if each in self.model_fields_set]
        return given[0].encode() if isinstance(given[0], str) else given[0]


class _Header(_Content):
    name: str

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        _require_one(self, "value")
        return self


class _Form(_Content):
    id: Annotated[str, Field(pattern=r"^[^/]+/\d{1,10}/\d{1,19}/-?\d{1,19}$")]
    key: str | None = None
    key_base64: Base64 | None = None
    value_json: Annotated[bytes | None, BeforeValidator(_encoded)] = None
    headers: tuple[_Header, ...] = ()
    cut: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _require_one(self, "key")
        _require_one(self, "value")
        if self.cut:
            raise ValueError(f"{self.cut}: put the whole message in and leave `cut` out")
        return self


def _spellings(name: str) -> tuple[str, ...]:
    return name, f"{name}_base64", f"{name}_json"


def _require_one(form: BaseModel, name: str) -> None:
    known = [each for each in _spellings(name) if each in type(form).model_fields]
    if sum(each in form.model_fields_set for each in known) != 1:
        raise ValueError(f"give exactly one of {', '.join(known)} (null for none)")


def _bytes_form(name: str, content: bytes | None) -> dict[str, str | None]:
    if content is None:
        return {name: None}
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(content).decode()}
