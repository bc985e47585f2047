"""A dead letter: a message that could not be used, as it came, with its reason and where it came from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from topics.events import InvalidEvent

RawHeaders = tuple[tuple[str, bytes | None], ...]

REPLAYED_FROM_HEADER = "replayed_from"
# A record of the dead-letter topic has room for all of these together, and for the headers that say where it came from.
_MAX_VALUE_BYTES = 2_000_000
_MAX_KEY_BYTES = 10_000
_MAX_HEADERS_BYTES = 40_000
_MAX_DETAIL_BYTES = 1_000
_MAX_STACK_BYTES = 3_000
_ORIGINAL = "original."
_HEADER_OVERHEAD_BYTES = len(_ORIGINAL) + 10


class DeadLetterError(Exception):
    """What was asked of the dead letters cannot be done; the message says why and what to do."""


class NoDeadLetter(DeadLetterError):
    """A record among the dead letters that is none."""


class Source(NamedTuple):
    """Where a record lies. With its time, since offsets begin anew when a topic is made anew."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    @property
    def id(self) -> str:
        return "/".join(map(str, self))

    @property
    def place(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused message. What no topic would take was cut: `value_bytes`, `key_bytes` and `header_count` are of the
    whole.

    `stack` tells where in Millrace it was refused, one `module:line function` a line, innermost last.
    """

    source: Source
    reason: str
    detail: str
    stack: str
    key: bytes | None
    value: bytes | None
    headers: RawHeaders = ()
    key_bytes: int = 0
    value_bytes: int = 0
    header_count: int = 0

    @property
    def cut(self) -> str:
        """What is missing, in words; empty where the letter holds the whole message."""
        parts = []
        if self.key_bytes > len(self.key or b""):
            parts.append(f"the first {len(self.key or b'')} of {self.key_bytes} bytes of the key")
        if self.value_bytes > len(self.value or b""):
            parts.append(f"the first {len(self.value or b'')} of {self.value_bytes} bytes of the value")
        if self.header_count > len(self.headers):
            parts.append(f"{len(self.headers)} of {self.header_count} headers")
        return f"only {' and '.join(parts)} were kept" if parts else ""

    @property
    def replayed_from(self) -> str:
        """The id of an earlier letter whose replay this one is; empty where it is none."""
        found = dict(self.headers).get(REPLAYED_FROM_HEADER)
        return found.decode("utf-8", "replace") if found else ""


def refused(
    source: Source,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
    why: InvalidEvent,
) -> DeadLetter:
    """The letter for a record, cut to what its topic takes."""
    original = tuple(headers)
    return DeadLetter(
        source=source,
        reason=why.reason,
        detail=_shortened(why.detail, _MAX_DETAIL_BYTES),
        stack=_last_lines(_shortened(why.stack, None), _MAX_STACK_BYTES),
        key=None if key is None else key[:_MAX_KEY_BYTES],
        value=None if value is None else value[:_MAX_VALUE_BYTES],
        headers=_fitting(original),
        key_bytes=len(key or b""),
        value_bytes=len(value or b""),
        header_count=len(original),
    )


def header_pairs(letter: DeadLetter) -> list[tuple[str, bytes | None]]:
    """The headers of the letter's record; its key and value are the letter's own."""
    source = letter.source
    pairs: list[tuple[str, bytes | None]] = [
        ("reason", letter.reason.encode()),
        ("detail", letter.detail.encode()),
        ("stack", letter.stack.encode()),
        ("source_topic", source.topic.encode()),
        ("source_partition", b"%d" % source.partition),
        ("source_offset", b"%d" % source.offset),
        ("source_timestamp_ms", b"%d" % source.timestamp_ms),
    ]
    if letter.value_bytes > len(letter.value or b""):
        pairs.append(("truncated_from_bytes", b"%d" % letter.value_bytes))
    if letter.key_bytes > len(letter.key or b""):
        pairs.append(("key_truncated_from_bytes", b"%d" % letter.key_bytes))
    if letter.header_count > len(letter.headers):
        pairs.append(("headers_cut_from", b"%d" % letter.header_count))
    return pairs + [(_ORIGINAL + name, content) for name, content in letter.headers]


def parse_letter(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]) -> DeadLetter:
    """The letter in a record of a dead-letter topic; those of older versions lack a stack. Raises NoDeadLetter."""
    own = {name: (content or b"").decode("utf-8", "replace") for name, content in headers if _is_own(name)}
    original = tuple((name.removeprefix(_ORIGINAL), content) for name, content in headers if not _is_own(name))
    try:
        source = Source(
            own["source_topic"],
            int(own["source_partition"]),
            int(own["source_offset"]),
            int(own["source_timestamp_ms"]),
        )
        letter = DeadLetter(source, own["reason"], own.get("detail", ""), own.get("stack", ""), key, value, original)
        return replace(
            letter,
            key_bytes=int(own.get("key_truncated_from_bytes", len(key or b""))),
            value_bytes=int(own.get("truncated_from_bytes", len(value or b""))),
            header_count=int(own.get("headers_cut_from", len(original))),
        )
    except (KeyError, ValueError) as error:
        raise NoDeadLetter(f"its headers are not those of a dead letter: {error!r}") from None


def headline(letter: DeadLetter) -> DeadLetter:
    """What a list needs: a message may have 2 MB."""
    return replace(letter, stack="", value=None, headers=(), key_bytes=0, value_bytes=0, header_count=0)


def _is_own(header: str) -> bool:
    return not header.startswith(_ORIGINAL)


def _fitting(headers: RawHeaders) -> RawHeaders:
    kept, room = [], _MAX_HEADERS_BYTES
    for name, content in headers:
        size = len(name.encode()) + len(content or b"") + _HEADER_OVERHEAD_BYTES
        if size <= room:
            kept.append((name, content))
            room -= size
    return tuple(kept)


def _shortened(text: str, max_bytes: int | None) -> str:
    """Lone surrogates become question marks: no header could hold them."""
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def _last_lines(text: str, max_bytes: int) -> str:
    """The innermost calls tell the most."""
    return text.encode()[-max_bytes:].decode("utf-8", "ignore")
