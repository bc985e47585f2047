"""Sends dead letters to their topic again, or puts them aside for good, and keeps a record of either."""

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from topics.catalogue import DEAD_LETTER_RESOLUTIONS
from topics.codec import VERSION_HEADER, deletion_headers
from topics.dead_letter_forms import FixedMessage
from topics.dead_letter_log import FiledLetter
from topics.dead_letters import REPLAYED_FROM_HEADER, DeadLetterError, RawHeaders, Source
from topics.events import DeadLetterResolved
from topics.publisher import Delivery, Message, Publisher, PublisherError

_AT_ONCE = 50  # a letter has up to 2 MB
_ANSWER_SECONDS = 35.0  # somewhat longer than the publisher itself tries


@dataclass(frozen=True, slots=True)
class Replay:
    """What goes to the topic of `source` for a dead letter."""

    source: Source
    key: bytes | None
    value: bytes | None
    headers: RawHeaders
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a replay. `error` is empty when the broker has it at `partition` and `offset`."""

    replay: Replay
    partition: int = -1
    offset: int = -1
    error: str = ""


def replay_as_it_was(filed: FiledLetter) -> Replay:
    """Raises DeadLetterError for a letter that does not hold the whole message."""
    letter = filed.letter
    if letter.cut:
        raise DeadLetterError(f"{letter.cut}: send the whole message with `replay --from-file`, or from the shop")
    return Replay(letter.source, letter.key, letter.value, _headers(letter.source, letter.value, letter.headers))


def replay_fixed(filed: FiledLetter, fixed: FixedMessage) -> Replay:
    letter = filed.letter
    headers = _headers(letter.source, fixed.value, fixed.headers)
    same = (letter.key, letter.value, letter.headers) == (fixed.key, fixed.value, fixed.headers)
    return Replay(letter.source, fixed.key, fixed.value, headers, fixed=not same)


def _headers(source: Source, value: bytes | None, headers: RawHeaders) -> RawHeaders:
    """The message's own, and where it comes from.

    A tombstone without a version was as new as its arrival. It has lost its place among the other records, so it gets
    that version written down: what came after it stays.
    """
    kept = tuple(pair for pair in headers if pair[0] != REPLAYED_FROM_HEADER)
    if value is None and VERSION_HEADER not in dict(kept):
        kept += tuple(deletion_headers(source.timestamp_ms * 1000).items())
    return (*kept, (REPLAYED_FROM_HEADER, source.id.encode()))


class DeadLetterDesk:
    """Replays and discards in the name of `by`, with a note for those who look later.

    Each letter is marked once the broker has its message, so that a crash in between leaves it open: its replay is
    then repeated, which the version of the event makes harmless. Both methods raise PublisherError where the broker
    does not take the mark.
    """

    def __init__(self, publisher: Publisher, by: str, note: str = "", clock: Callable[[], float] = time.time) -> None:
        self._publisher = publisher
        self._by = by
        self._note = note
        self._clock = clock

    def replay(self, replays: Sequence[Replay]) -> Iterator[Sent]:
        """Send them in their order. What each became is told some at a time, failures last."""
        for start in range(0, len(replays), _AT_ONCE):
            results = self._send(replays[start : start + _AT_ONCE])
            taken = [sent for sent in results if not sent.error]
            self._mark([self._replayed(sent) for sent in taken])
            yield from taken
            yield from (sent for sent in results if sent.error)

    def discard(self, letters: Sequence[FiledLetter]) -> Iterator[FiledLetter]:
        """Mark them; the letters themselves stay until they expire."""
        for start in range(0, len(letters), _AT_ONCE):
            some = letters[start : start + _AT_ONCE]
            self._mark([self._resolved(filed.id, "discarded") for filed in some])
            yield from some

    def _send(self, replays: Sequence[Replay]) -> list[Sent]:
        answers: queue.SimpleQueue[tuple[int, Delivery]] = queue.SimpleQueue()
        results: dict[int, Sent] = {}
        for position, replay in enumerate(replays):
            try:
                self._publisher.publish(
                    replay.source.topic, replay.key, replay.value, replay.headers, partial(_put, answers, position)
                )
            except PublisherError as error:
                results[position] = Sent(replay, error=str(error))
        give_up_at = time.monotonic() + _ANSWER_SECONDS
        while len(results) < len(replays):
            try:
                position, delivery = answers.get(timeout=max(0.0, give_up_at - time.monotonic()))
            except queue.Empty:
                break
            results[position] = Sent(replays[position], delivery.partition, delivery.offset, delivery.error)
        silence = f"the broker did not answer within {_ANSWER_SECONDS:.0f} s; it may have the message: replay it again"
        return [results.get(position, Sent(replay, error=silence)) for position, replay in enumerate(replays)]

    def _replayed(self, sent: Sent) -> DeadLetterResolved:
        mark = self._resolved(sent.replay.source.id, "replayed")
        place = {"partition": sent.partition, "offset": sent.offset}
        return mark.model_copy(update={"fixed": sent.replay.fixed, **place})

    def _resolved(self, letter: str, action: Literal["replayed", "discarded"]) -> DeadLetterResolved:
        return DeadLetterResolved(letter=letter, action=action, at=self._clock(), by=self._by, note=self._note)

    def _mark(self, marks: Sequence[DeadLetterResolved]) -> None:
        messages = [
            Message(DEAD_LETTER_RESOLUTIONS, mark.letter.encode(), mark.model_dump_json().encode()) for mark in marks
        ]
        self._publisher.publish_and_wait(messages, _ANSWER_SECONDS)


def _put(answers: "queue.SimpleQueue[tuple[int, Delivery]]", position: int, delivery: Delivery) -> None:
    answers.put((position, delivery))
