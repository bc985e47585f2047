"""The lag of every group of a cluster, in events and in seconds, at one moment.

Groups are listed by the old request for a list: `AdminClient.describe_consumer_groups` ends the process (an assertion
of librdkafka 2.16) when the broker goes away while it is asked. Commits come from `Consumer.committed()` alone.
"""

import re
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from monitoring.lag import PartitionLag, lag_is_told
from monitoring.offsets import (
    TIMEOUT_SECONDS,
    ClientConfig,
    FirstRecord,
    Place,
    committed_offsets,
    end_offsets,
    first_records,
    patiently,
    watching_consumer,
)
from monitoring.oldest_records import OldestRecords, Start

_NAME = "millrace-lag-exporter"
_KEPT_OPEN = 64  # consumers, each with three or four threads
_CONSUMER_PROTOCOL = {"consumer", ""}  # Kafka Connect and schema registries have groups that commit nothing
_READING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One partition as the cluster's metadata tell it. `leader` is -1 where it has none."""

    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupPartition:
    """A group's place in one partition.

    `lag`: offsets not committed, of what is kept; None where the group never committed and nobody knows where it would
    begin. `caught_up`: no record waits that can be read, whatever `lag` says (markers of transactions count there);
    None where that could not be found out. `age_seconds`: how long the oldest record that waits has been on the broker,
    0 where none waits, None where that is not known.
    """

    committed: int | None
    lag: int | None
    caught_up: bool | None
    age_seconds: float | None

    @property
    def events(self) -> int:
        """Events that wait: `lag`, without what no worker can ever read."""
        return 0 if self.caught_up else self.lag or 0


@dataclass(frozen=True, slots=True)
class GroupReading:
    """`members` is None where the broker does not tell, such as the embedded one."""

    group: str
    members: int | None
    partitions: Mapping[Place, GroupPartition]


@dataclass(frozen=True, slots=True)
class ClusterReading:
    """`ends`: the first offset kept and the next to be written, of each partition that has a leader.

    `failures`: by group, Kafka's name of the error that kept it from being read.
    """

    brokers: Mapping[int, str]
    partitions: Mapping[Place, PartitionState]
    ends: Mapping[Place, tuple[int, int]]
    groups: tuple[GroupReading, ...]
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which groups and topics to tell of, by their names on the broker.

    `known` names groups that begin at the first event kept when they have no commit, and the topics that they read:
    they are told of even where the broker has not heard of them. A name also stands for longer ones, after a dot.
    """

    known: Mapping[str, Collection[str]]
    groups: "re.Pattern[str]" = re.compile("")
    topics: "re.Pattern[str]" = re.compile("")


class ClusterLag:
    """Reads the lag of all selected groups. Not thread-safe."""

    def __init__(
        self, client_config: ClientConfig, selection: Selection, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` gives seconds since 1970. Raises LagUnavailable for settings that no client takes."""
        self._config = client_config
        self._selection = selection
        self._clock = clock
        with lag_is_told():
            self._admin = AdminClient(dict(client_config))
            # what is written counts, committed or not, as it does for kafka_exporter
            self._offsets = watching_consumer(client_config, _NAME, **{"isolation.level": "read_uncommitted"})
            self._records = watching_consumer(client_config, _NAME)
        self._oldest = OldestRecords(self._first_records)
        self._consumers: dict[str, Consumer] = {}

    def read(self, patience_seconds: float = 0.0) -> ClusterReading:
        """`patience_seconds`: for how long to ask again while the broker is starting. Raises LagUnavailable."""
        with lag_is_told():
            metadata = self._offsets.list_topics(timeout=TIMEOUT_SECONDS)
            partitions = self._partitions(metadata)
            listed = patiently(patience_seconds)(self._listed)
            known = filter(self._selection.groups.search, self._selection.known)
            names = dict.fromkeys([*known, *(listed or ())])
            places = [place for place, state in partitions.items() if state.leader >= 0]
            commits, failures = self._commits(names.keys(), places, patience_seconds)
            members = self._members(listed, commits)
            ends = patiently(patience_seconds)(self._ends, places)  # after the commits, so that no lag is too small
            lags = {group: self._lags(group, found, ends) for group, found in commits.items()}
            starts = {(place, lag.start) for found in lags.values() for place, lag in found.items() if lag.events}
            oldest = self._oldest.read(starts, ends, _READING_SECONDS)
        now = self._clock()
        groups = (
            GroupReading(group, members[group], dict(self._judged(group, found, oldest, now)))
            for group, found in lags.items()
        )
        brokers = {broker.id: f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()}
        return ClusterReading(brokers, partitions, ends, tuple(groups), failures)

    def close(self) -> None:
        for consumer in (*self._consumers.values(), self._offsets, self._records):
            consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _partitions(self, metadata: ClusterMetadata) -> dict[Place, PartitionState]:
        return {
            (name, number): PartitionState(partition.leader, tuple(partition.replicas), tuple(partition.isrs))
            for name, topic in sorted(metadata.topics.items())
            if self._selection.topics.search(name)
            for number, partition in sorted(topic.partitions.items())
        }

    def _listed(self) -> dict[str, int | None] | None:
        """Members of each selected group that the broker has heard of; None where it lists none, as the embedded one.

        Kafka answers this request nothing about members in the protocol of KIP-848. A broker that has just started
        leaves out groups whose commits it has not loaded yet.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # what is to replace it ends the process
                listed = self._admin.list_groups(timeout=TIMEOUT_SECONDS)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNSUPPORTED_FEATURE:
                return None
            raise
        return {
            group.id: None if group.error or group.state == "Dead" else len(group.members)
            for group in listed
            if group.protocol_type in _CONSUMER_PROTOCOL and self._selection.groups.search(group.id)
        }

    def _members(self, listed: dict[str, int | None] | None, groups: Collection[str]) -> dict[str, int | None]:
        """Of each group. What told its commits is loaded by now, and was perhaps not when it was listed."""
        if listed is not None and not listed.keys() >= set(groups):
            listed = {**listed, **(self._listed() or {})}
        return {group: None if listed is None else listed.get(group, 0) for group in groups}

    def _commits(
        self, groups: AbstractSet[str], places: list[Place], patience_seconds: float
    ) -> tuple[dict[str, dict[Place, int]], dict[str, str]]:
        for gone in self._consumers.keys() - groups:
            self._consumers.pop(gone).close()
        commits, failures = {}, {}
        for group in groups:
            try:
                commits[group] = patiently(patience_seconds)(self._committed, group, places)
            except KafkaException as error:
                failures[group] = error.args[0].name()
        return commits, failures

    def _committed(self, group: str, places: list[Place]) -> dict[Place, int]:
        consumer = self._consumers.get(group) or watching_consumer(self._config, group)
        try:
            return committed_offsets(consumer, places)
        finally:
            if group in self._consumers or len(self._consumers) < _KEPT_OPEN:
                self._consumers[group] = consumer
            else:
                consumer.close()

    def _ends(self, places: list[Place]) -> dict[Place, tuple[int, int]]:
        self._offsets.list_topics(timeout=TIMEOUT_SECONDS)  # a leader that changed is found no other way
        return end_offsets(self._offsets, places)

    def _lags(
        self, group: str, commits: Mapping[Place, int], ends: Mapping[Place, tuple[int, int]]
    ) -> dict[Place, PartitionLag]:
        """Every partition of the topics in which the group has a commit, or is known to read."""
        topics = {topic for topic, _ in commits} | self._known_topics(group)
        return {
            place: PartitionLag(earliest, commits.get(place), latest)
            for place, (earliest, latest) in ends.items()
            if place[0] in topics
        }

    def _judged(
        self,
        group: str,
        lags: Mapping[Place, PartitionLag],
        oldest: Mapping[Start, FirstRecord | None],
        now: float,
    ) -> Iterator[tuple[Place, GroupPartition]]:
        known = self._known_topics(group)
        for place, lag in lags.items():
            start = (place, lag.start)
            if lag.committed is None and place[0] not in known:
                yield place, GroupPartition(None, None, None, None)
            elif lag.events and start not in oldest:
                yield place, GroupPartition(lag.committed, lag.events, None, None)
            else:
                yield place, _judged_by_record(lag, oldest.get(start), now)

    def _known_topics(self, group: str) -> set[str]:
        known = self._selection.known
        return {topic for name in known if f"{group}.".startswith(f"{name}.") for topic in known[name]}

    def _first_records(self, starts: Mapping[Place, int], seconds: float) -> Iterator[tuple[Place, FirstRecord | None]]:
        self._records.list_topics(timeout=TIMEOUT_SECONDS)  # else each new topic costs a second
        return first_records(self._records, starts, seconds)


def _judged_by_record(lag: PartitionLag, record: FirstRecord | None, now: float) -> GroupPartition:
    if record is None:
        return GroupPartition(lag.committed, lag.events, True, 0.0)
    age = None if record.timestamp is None else max(0.0, now - record.timestamp)  # clocks differ
    return GroupPartition(lag.committed, lag.events, False, age)
