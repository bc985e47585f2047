"""How far a consumer group is behind, read without joining it.

Only `Consumer.committed()` of a consumer that never subscribes is used: `AdminClient.list_consumer_group_offsets` can
end the process while a coordinator loads (librdkafka #5040).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential


class LagUnavailable(Exception):
    """The broker did not tell where the group stands; the message gives its reason."""


_TRANSIENT = {6, 14, 15, 16}  # not leader, coordinator loading, not available, not coordinator
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """Offsets of one partition: the first one kept, the next to be read by the group, the next to be written."""

    earliest: int
    committed: int | None
    latest: int

    @property
    def events(self) -> int:
        """Events not yet committed. Without a commit, all that is kept."""
        return max(0, self.latest - max(self.earliest, self.committed or 0))


class GroupLag:
    """One group's place in one topic. Not thread-safe. Every method raises LagUnavailable."""

    def __init__(self, client_config: Mapping[str, str | int | float | bool], group: str, topic: str) -> None:
        with _told():
            self._consumer = Consumer({**client_config, "group.id": group, "enable.auto.commit": False})
        self._topic = topic
        self._retrying = Retrying(
            retry=retry_if_exception(_is_transient),
            stop=stop_after_delay(15),
            wait=wait_exponential(0.1, 2),
            reraise=True,
        )

    def committed(self) -> dict[int, int]:
        """Committed offset by partition; partitions without a commit are left out."""
        with _told():
            return self._retrying(self._committed)

    def read(self) -> dict[int, PartitionLag]:
        """Lag by partition. The end is read after the commits, so it is never too small."""
        committed = self.committed()
        with _told():
            return {partition: self._lag(partition, committed.get(partition)) for partition in self._partitions()}

    def events(self) -> int:
        """Events of all partitions that are not committed."""
        return sum(lag.events for lag in self.read().values())

    def records_wait(self, partitions: Collection[int]) -> bool:
        """Whether a record that can be read stands behind the commits of these partitions.

        Lag alone does not tell: the marker of a transaction counts as an event for ever. So one record is fetched.
        """
        behind = [
            TopicPartition(self._topic, partition, max(lag.earliest, lag.committed or 0))
            for partition, lag in self.read().items()
            if partition in partitions and lag.events > 0
        ]
        if not behind:
            return False
        with _told():
            self._consumer.assign(behind)
            try:
                message = self._consumer.poll(_TIMEOUT_SECONDS)
            finally:
                self._consumer.unassign()
        return message is not None and message.error() is None

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lag(self, partition: int, committed: int | None) -> PartitionLag:
        place = TopicPartition(self._topic, partition)
        earliest, latest = self._consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS, cached=False)
        return PartitionLag(earliest, committed, latest)

    def _partitions(self) -> list[int]:
        metadata = self._consumer.list_topics(self._topic, timeout=_TIMEOUT_SECONDS)
        return sorted(metadata.topics[self._topic].partitions)

    def _committed(self) -> dict[int, int]:
        places = [TopicPartition(self._topic, partition) for partition in self._partitions()]
        found = self._consumer.committed(places, timeout=_TIMEOUT_SECONDS)
        return {place.partition: place.offset for place in found if place.offset != OFFSET_INVALID}


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise LagUnavailable(f"the broker does not tell the group's offsets: {error.args[0].str()}") from error


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() in _TRANSIENT
