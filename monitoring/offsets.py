"""What a consumer that never joins its group can ask of a broker: ends, commits, and the first record to read.

Every function asks for all partitions at once, one request for each broker, and raises KafkaException.
"""

import time
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    OFFSET_INVALID,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

Place = tuple[str, int]
"""A topic and the number of one of its partitions."""

ClientConfig = Mapping[str, str | int | float | bool]

TIMEOUT_SECONDS = 5.0
_POLL_SECONDS = 0.05
_AT_ONCE = 1_000
_TRANSIENT = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
}
_WATCHING: dict[str, str | int | float | bool] = {
    "enable.auto.commit": False,
    "enable.partition.eof": True,  # tells that nothing can be read, without waiting for it
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 50,
    "max.partition.fetch.bytes": 65_536,  # one record is wanted; a longer one comes all the same
    "queued.max.messages.kbytes": 16_384,
}


@dataclass(frozen=True, slots=True)
class FirstRecord:
    """`timestamp` is in seconds since 1970, None where the record has none."""

    offset: int
    timestamp: float | None


def watching_consumer(client_config: ClientConfig, group: str, **more: str | int | float | bool) -> Consumer:
    """A consumer that reads a group's commits, and records, without joining the group or committing."""
    return Consumer({**client_config, **_WATCHING, "group.id": group, **more})


def patiently(seconds: float) -> Retrying:
    """Ask again what a broker refuses just after it or another one has started; `seconds` 0: once."""
    return Retrying(
        retry=retry_if_exception(_is_transient),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(0.1, 2),
        reraise=True,
    )


def committed_offsets(consumer: Consumer, places: Iterable[Place]) -> dict[Place, int]:
    """The next offset that the consumer's group would read; partitions without a commit are left out."""
    asked = [TopicPartition(*place) for place in places]
    found = _sound(consumer.committed(asked, timeout=TIMEOUT_SECONDS)) if asked else []
    return {(one.topic, one.partition): one.offset for one in found if one.offset != OFFSET_INVALID}


def end_offsets(consumer: Consumer, places: Collection[Place]) -> dict[Place, tuple[int, int]]:
    """The first offset kept and the next to be written. Each partition must have a leader."""
    earliest, latest = (_list_offsets(consumer, places, which) for which in (OFFSET_BEGINNING, OFFSET_END))
    return {place: (earliest[place], latest[place]) for place in places}


def first_records(
    consumer: Consumer, starts: Mapping[Place, int], seconds: float
) -> Generator[tuple[Place, FirstRecord | None], None, None]:
    """The first record that can be read at or behind each offset, in the order of their coming.

    None: there is none, as where only the marker of a transaction stands. Partitions for which the time did not
    suffice, or that may not be read, are left out. Close the generator when it is left early.
    """
    wanted = set(starts)
    deadline = time.monotonic() + seconds
    consumer.assign([TopicPartition(*place, offset) for place, offset in starts.items()])
    try:
        while wanted and time.monotonic() < deadline:
            for message in consumer.consume(_AT_ONCE, _POLL_SECONDS):
                place = (message.topic(), message.partition())
                if place not in wanted:
                    continue
                wanted.remove(place)
                consumer.incremental_unassign([TopicPartition(*place)])
                if message.error() is None:
                    yield place, _first(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    yield place, None
    finally:
        consumer.unassign()


def _first(message: Message) -> FirstRecord:
    kind, milliseconds = message.timestamp()
    return FirstRecord(message.offset(), None if kind == TIMESTAMP_NOT_AVAILABLE else milliseconds / 1000)


def _list_offsets(consumer: Consumer, places: Iterable[Place], which: int) -> dict[Place, int]:
    """The request for offsets by time takes these two in the place of a time, as the protocol does."""
    asked = [TopicPartition(*place, which) for place in places]
    found = _sound(consumer.offsets_for_times(asked, timeout=TIMEOUT_SECONDS)) if asked else []
    return {(one.topic, one.partition): one.offset for one in found}


def _sound(found: list[TopicPartition]) -> list[TopicPartition]:
    for one in found:
        if one.error is not None:
            raise KafkaException(one.error)
    return found


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() in _TRANSIENT
