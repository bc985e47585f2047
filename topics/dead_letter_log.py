"""The dead letters as a person sees them: each refused message once, with what was done with it."""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import orjson
from pydantic import ValidationError

from topics.catalogue import DEAD_LETTER_RESOLUTIONS, DEAD_LETTER_SOURCES, dead_letter_topic
from topics.dead_letters import DeadLetter, NoDeadLetter, Source, headline, parse_letter
from topics.events import DeadLetterResolved
from topics.settings import KafkaSettings
from topics.snapshot import Extent, KeptRecord, Snapshot


@dataclass(frozen=True, slots=True)
class FiledLetter:
    """A dead letter, when it first came, how often it came again (a worker that crashed reads its last events again),
    and what was done with it.
    """

    letter: DeadLetter
    refused_at_ms: int
    repeats: int = 0
    resolution: DeadLetterResolved | None = None

    @property
    def id(self) -> str:
        return self.letter.source.id


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters are wanted; what is empty or None asks for nothing. Times are in milliseconds since 1970.

    `open_only` leaves out what was replayed or discarded, unless `places` name it.
    """

    topics: Collection[str] = DEAD_LETTER_SOURCES
    places: Collection["Place"] = ()
    reasons: Collection[str] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    key: str = ""
    open_only: bool = False

    def takes(self, letter: DeadLetter) -> bool:
        """As far as reason and key go."""
        return (not self.reasons or letter.reason in self.reasons) and (
            not self.key or _is_key_of(letter.key, self.key)
        )

    def takes_resolved(self) -> bool:
        return bool(self.places) or not self.open_only

    def takes_time(self, refused_at_ms: int) -> bool:
        return (self.since_ms is None or refused_at_ms >= self.since_ms) and (
            self.until_ms is None or refused_at_ms < self.until_ms
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where the refused message lies in its topic; with `topic` and `timestamp_ms` it is the id of one letter."""

    partition: int
    offset: int
    topic: str | None = None
    timestamp_ms: int | None = None

    def names(self, source: Source) -> bool:
        return (
            (self.partition, self.offset) == (source.partition, source.offset)
            and self.topic in (None, source.topic)
            and self.timestamp_ms in (None, source.timestamp_ms)
        )


@dataclass(slots=True)
class LetterBox:
    """What was found, in the order in which it was refused. `unreadable` names records that are no dead letters;
    `expired` counts records that the topic no longer keeps.
    """

    letters: list[FiledLetter] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    expired: int = 0


def read_letters(
    kafka: KafkaSettings,
    wanted: LetterFilter,
    on_progress: Callable[[Extent], None] = lambda _: None,
    headlines: bool = False,
) -> LetterBox:
    """All letters that the filter takes, or only their headlines. Raises BrokerError."""
    sorting = _Sorting(wanted, headlines)
    Snapshot(kafka, [DEAD_LETTER_RESOLUTIONS]).read(sorting.add_resolution, lambda _: None)
    topics = [dead_letter_topic(topic) for topic in wanted.topics]
    extent = Snapshot(kafka, topics).read(sorting.add_letter, on_progress)
    return LetterBox(sorting.letters(), sorting.unreadable, extent.forgotten)


class _Sorting:
    """Puts the copies of a letter and what was done with it together."""

    def __init__(self, wanted: LetterFilter, headlines: bool) -> None:
        self._wanted = wanted
        self._headlines = headlines
        self._places: defaultdict[tuple[int, int], list[Place]] = defaultdict(list)
        for place in wanted.places:
            self._places[place.partition, place.offset].append(place)
        self._letters: dict[str, FiledLetter] = {}
        self._resolutions: dict[str, DeadLetterResolved] = {}
        self.unreadable: list[str] = []

    def add_letter(self, record: KeptRecord) -> None:
        try:
            letter = _letter(record)
        except NoDeadLetter as error:
            self.unreadable.append(f"{_where(record)}: {error}")
            return
        resolution = self._resolutions.get(letter.source.id)
        if not self._takes(letter, resolution):
            return
        known = self._letters.get(letter.source.id)
        if known is None:
            kept = headline(letter) if self._headlines else letter
            self._letters[letter.source.id] = FiledLetter(kept, record.timestamp_ms, 0, resolution)
        else:
            first = min(known.refused_at_ms, record.timestamp_ms)
            self._letters[letter.source.id] = replace(known, refused_at_ms=first, repeats=known.repeats + 1)

    def _takes(self, letter: DeadLetter, resolution: DeadLetterResolved | None) -> bool:
        """As far as can be said before the last copy has been read."""
        return (
            (resolution is None or self._wanted.takes_resolved())
            and (not self._wanted.places or self._is_named(letter.source))
            and self._wanted.takes(letter)
        )

    def _is_named(self, source: Source) -> bool:
        places = self._places.get((source.partition, source.offset), ())
        return any(place.names(source) for place in places)

    def add_resolution(self, record: KeptRecord) -> None:
        if record.value is None:
            return
        try:
            resolution = DeadLetterResolved.model_validate_json(record.value)
        except ValidationError as error:
            self.unreadable.append(f"{_where(record)}: {error.errors(include_url=False)[0]['msg']}")
            return
        known = self._resolutions.get(resolution.letter)
        if known is None or known.at <= resolution.at:
            self._resolutions[resolution.letter] = resolution

    def letters(self) -> list[FiledLetter]:
        found = (each for each in self._letters.values() if self._wanted.takes_time(each.refused_at_ms))
        return sorted(found, key=lambda each: (each.refused_at_ms, each.letter.source))


def _letter(record: KeptRecord) -> DeadLetter:
    """Raises NoDeadLetter, also for a letter of another topic, which another program must have put there."""
    letter = parse_letter(record.key, record.value, record.headers)
    if dead_letter_topic(letter.source.topic) != record.topic:
        raise NoDeadLetter(f"it says that it comes from {letter.source.topic!r}")
    return letter


def _is_key_of(key: bytes | None, product_id: str) -> bool:
    """Debezium's key is a struct that holds the id."""
    text = (key or b"").decode("utf-8", "replace")
    if text == product_id or not text.startswith("{"):
        return text == product_id
    try:
        struct = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    row = struct.get("payload", struct)
    return isinstance(row, dict) and product_id in map(str, row.values())


def _where(record: KeptRecord) -> str:
    return f"{record.topic} {record.partition}:{record.offset}"
