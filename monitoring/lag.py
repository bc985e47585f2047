"""How far a consumer group is behind in one topic, read without joining it.

Only `Consumer.committed()` of a consumer that never subscribes is used: `AdminClient.list_consumer_group_offsets` can
end the process while a coordinator loads (librdkafka #5040).
"""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Self

from confluent_kafka import KafkaException

from monitoring.offsets import (
    TIMEOUT_SECONDS,
    ClientConfig,
    Place,
    committed_offsets,
    end_offsets,
    first_records,
    patiently,
    watching_consumer,
)

_PATIENCE_SECONDS = 15.0


class LagUnavailable(Exception):
    """The broker did not tell where groups stand; the message says why, `reason` is Kafka's name of the error."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """Offsets of one partition: the first one kept, the next to be read by the group, the next to be written."""

    earliest: int
    committed: int | None
    latest: int

    @property
    def start(self) -> int:
        """Where the group would go on. Without a commit, at the first event kept."""
        return max(self.earliest, self.committed or 0)

    @property
    def events(self) -> int:
        """Offsets not yet committed, of what is kept; the marker of a transaction is one of them."""
        return max(0, self.latest - self.start)


class GroupLag:
    """One group's place in one topic. Not thread-safe. Every method raises LagUnavailable."""

    def __init__(self, client_config: ClientConfig, group: str, topic: str) -> None:
        with lag_is_told():
            self._consumer = watching_consumer(client_config, group)
        self._topic = topic
        self._patiently = patiently(_PATIENCE_SECONDS)

    def committed(self) -> dict[int, int]:
        """Committed offset by partition; partitions without a commit are left out."""
        with lag_is_told():
            found = self._patiently(lambda: committed_offsets(self._consumer, self._places()))
        return {partition: offset for (_, partition), offset in found.items()}

    def read(self) -> dict[int, PartitionLag]:
        """Lag by partition. The end is read after the commits, so it is never too small."""
        committed = self.committed()
        with lag_is_told():
            ends = self._patiently(lambda: end_offsets(self._consumer, self._places()))
        return {
            partition: PartitionLag(earliest, committed.get(partition), latest)
            for (_, partition), (earliest, latest) in ends.items()
        }

    def events(self) -> int:
        """Events of all partitions that are not committed."""
        return sum(lag.events for lag in self.read().values())

    def records_wait(self, partitions: Collection[int]) -> bool:
        """Whether a record that can be read stands behind the commits of these partitions.

        Lag alone does not tell: the marker of a transaction counts as an event for ever. So the first record of each
        partition is asked for, until one has come.
        """
        starts = {
            (self._topic, partition): lag.start
            for partition, lag in self.read().items()
            if partition in partitions and lag.events > 0
        }
        with lag_is_told(), closing(first_records(self._consumer, starts, TIMEOUT_SECONDS)) as found:
            unknown = set(starts)
            for place, record in found:
                if record is not None:
                    return True
                unknown.remove(place)
        if unknown:
            raise LagUnavailable(f"the broker did not let {len(unknown)} partitions be read in time", "_TIMED_OUT")
        return False

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _places(self) -> list[Place]:
        metadata = self._consumer.list_topics(self._topic, timeout=TIMEOUT_SECONDS)
        return [(self._topic, partition) for partition in sorted(metadata.topics[self._topic].partitions)]


@contextmanager
def lag_is_told() -> Iterator[None]:
    """A broker that does not answer becomes LagUnavailable."""
    try:
        yield
    except KafkaException as error:
        cause = error.args[0]
        raise LagUnavailable(f"the broker does not tell the group's offsets: {cause.str()}", cause.name()) from error
