"""Which dead letters a command means, and whether a worker of today could use them."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import typer
from pydantic import BaseModel

from cli.import_products import parse_time
from cli.output import Output
from index.base import IndexRefused
from index.documents import document
from index.limits import check_document
from streams.reading import read_value
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.catalogue import (
    BEHAVIOR_EVENTS,
    BEHAVIOR_QUERIES,
    CATALOG_PRODUCTS,
    DEAD_LETTER_SOURCES,
    FEEDBACK_EXAMPLES,
    SHOPPERS_ERASED,
)
from topics.codec import ProductCodec
from topics.dead_letter_log import FiledLetter, LetterBox, LetterFilter, Place, read_letters
from topics.dead_letter_replay import Replay, replay_as_it_was
from topics.dead_letters import DeadLetterError, Source
from topics.events import InvalidEvent, InvalidReason, Product
from topics.feedback import JoinedList, ShopperErased
from topics.settings import KafkaSettings

_PLACE = re.compile(r"(?P<partition>\d{1,10}):(?P<offset>\d{1,19})")
_ID = re.compile(r"(?P<topic>[^/]+)/(?P<partition>\d{1,10})/(?P<offset>\d{1,19})(?:/(?P<timestamp>-?\d{1,19}))?")
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_place(text: str) -> Place:
    """`3:41` (partition and offset), or the id of a letter."""
    found = _PLACE.fullmatch(text) or _ID.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r} is no place: write partition:offset as `list` shows it, such as 3:41")
    parts = found.groupdict()
    timestamp = parts.get("timestamp")
    return Place(
        int(parts["partition"]), int(parts["offset"]), parts.get("topic"), None if timestamp is None else int(timestamp)
    )


def parse_moment(text: str | None, now: datetime) -> int | None:
    """Milliseconds since 1970 of `2h` (two hours before now) or an ISO 8601 date-time with time zone."""
    if text is None:
        return None
    try:
        if ago := _AGO.fullmatch(text):
            moment = now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        else:
            moment = parse_time(text)
        return int(moment.timestamp() * 1000)
    except typer.BadParameter as error:
        raise typer.BadParameter(f"{error}; or write how long ago: 30m, 2h, 7d") from None
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is before the calendar began") from None


def letter_filter(
    places: Sequence[str],
    topic: str | None,
    reasons: Sequence[InvalidReason],
    period: tuple[str | None, str | None],
    key: str,
    open_only: bool,
) -> LetterFilter:
    """What the options of a command ask for; `period` is since and until."""
    if topic is not None and topic not in DEAD_LETTER_SOURCES:
        raise typer.BadParameter(f"no dead letters are kept for {topic!r}; known: {', '.join(DEAD_LETTER_SOURCES)}")
    now = datetime.now(UTC)
    return LetterFilter(
        topics=DEAD_LETTER_SOURCES if topic is None else (topic,),
        places=tuple(map(parse_place, places)),
        reasons=tuple(reasons),
        since_ms=parse_moment(period[0], now),
        until_ms=parse_moment(period[1], now),
        key=key,
        open_only=open_only,
    )


def asks_for_something(wanted: LetterFilter) -> bool:
    return wanted != LetterFilter(topics=wanted.topics, open_only=wanted.open_only)


def read_box(output: Output, kafka: KafkaSettings, wanted: LetterFilter, headlines: bool = False) -> LetterBox:
    """All that the filter takes, with progress. Raises BrokerError."""
    with output.progress("reading dead letters", 1.0) as advance:
        box = read_letters(
            kafka,
            wanted,
            lambda extent: advance(extent.read / max(1, extent.total), f"{extent.read} of {extent.total}"),
            headlines,
        )
    for unreadable in box.unreadable:
        output.note(f"left out {unreadable}")
    return box


def chosen(box: LetterBox, wanted: LetterFilter) -> list[FiledLetter]:
    """Its letters. Raises DeadLetterError for a place without a letter, or with two."""
    sources: defaultdict[tuple[int, int], list[Source]] = defaultdict(list)
    for filed in box.letters:
        sources[filed.letter.source.partition, filed.letter.source.offset].append(filed.letter.source)
    for place in wanted.places:
        found = [source.id for source in sources[place.partition, place.offset] if place.names(source)]
        name = f"{place.partition}:{place.offset}"
        if not found:
            raise DeadLetterError(f"no such dead letter at {name}: see `millrace dead-letters list --all`")
        if len(found) > 1:
            raise DeadLetterError(f"{name} names several letters, give one of their ids: {', '.join(found)}")
    return box.letters


_MODELS: Mapping[str, type[BaseModel]] = {
    BEHAVIOR_QUERIES: BehaviorQuery,
    BEHAVIOR_EVENTS: BehaviorEvent,
    FEEDBACK_EXAMPLES: JoinedList,
    SHOPPERS_ERASED: ShopperErased,
}


class Examiner:
    """Tells whether a worker with these settings would refuse a message for sure."""

    def __init__(self, kafka: KafkaSettings) -> None:
        codec = ProductCodec(kafka.product_mapping, kafka.max_event_bytes)
        self._readers: dict[str, Callable[[Replay], str]] = {
            CATALOG_PRODUCTS: lambda replay: _objection(codec, replay),
            **{topic: partial(_unreadable, model, kafka.max_event_bytes) for topic, model in _MODELS.items()},
        }

    def objection(self, replay: Replay) -> str:
        """Why it would be refused, or empty."""
        return self._readers[replay.source.topic](replay)

    def objection_to(self, filed: FiledLetter) -> str:
        """Why the letter as it is would be refused, or cannot be sent at all."""
        try:
            return self.objection(replay_as_it_was(filed))
        except DeadLetterError as error:
            return str(error)


def _objection(codec: ProductCodec, replay: Replay) -> str:
    event = codec.decode(replay.key, replay.value, replay.source.timestamp_ms, dict(replay.headers))
    if isinstance(event, InvalidEvent):
        return f"{event.reason}: {event.detail}"
    try:
        if isinstance(event, Product):
            check_document(document(event))
    except IndexRefused as error:
        return f"{InvalidReason.INDEX_REFUSED}: {error}"
    return ""


def _unreadable(model: type[BaseModel], most_bytes: int, replay: Replay) -> str:
    said = read_value(replay.value or b"", model, most_bytes)
    return f"{said.reason}: {said.detail}" if isinstance(said, InvalidEvent) else ""
