"""Makes topics, and holds what the broker has against the table."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, ResourceType

from topics.catalogue import TopicSpec
from topics.causes import BrokerCauses
from topics.clients import client_config
from topics.settings import KafkaSettings

_LEAST_PATIENCE_SECONDS = 0.5
_SLOW_BROKER_SECONDS = 10.0


class BrokerError(Exception):
    """The broker did not do what was asked; the message gives the cause and what to do."""


@dataclass(frozen=True, slots=True)
class TopicReport:
    """One topic of the table beside what the broker has. `differences` is empty where they agree."""

    name: str
    state: Literal["created", "present", "missing"]
    partitions: int
    differences: tuple[str, ...] = ()


class TopicAdmin:
    """Administration of topics. Every method raises BrokerError when the broker does not answer.

    When waiting is of no use, the error comes a second after the time-out at most. A broker that is there, but slow,
    is given ten seconds more.
    """

    def __init__(self, settings: KafkaSettings, timeout_seconds: float = 4.0) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._causes = BrokerCauses(settings)
        with self._asking("use these settings"):
            self._client = AdminClient({**client_config(settings), "error_cb": self._causes.remember})

    def cluster_id(self) -> str:
        """The broker's name for itself; the embedded one has a new name after each start."""
        return str(self._metadata().cluster_id)

    def inspect(self, specs: Iterable[TopicSpec]) -> list[TopicReport]:
        """What the broker has of each topic of the table."""
        metadata = self._metadata()
        partitions = {name: len(topic.partitions) for name, topic in metadata.topics.items()}
        specs = list(specs)
        there = [spec for spec in specs if spec.name in partitions]
        configurations = {} if is_embedded(metadata) else self._configurations(there)
        reports = []
        for spec in specs:
            if spec.name not in partitions:
                reports.append(TopicReport(spec.name, "missing", 0))
                continue
            differences = _differences(spec, configurations.get(spec.name, {}))
            reports.append(TopicReport(spec.name, "present", partitions[spec.name], differences))
        return reports

    def partitions(self, topics: Collection[str]) -> dict[str, int]:
        """How many partitions each of these topics has on the broker; raises BrokerError where one is missing, too."""
        there = self._metadata().topics
        if missing := sorted(set(topics) - set(there)):
            raise BrokerError(missing_topics(self._settings, missing))
        return {topic: len(there[topic].partitions) for topic in topics}

    def apply(self, specs: Sequence[TopicSpec]) -> list[TopicReport]:
        """Create what is missing; what is there is reported, never changed. A repeat creates nothing."""
        reports = {report.name: report for report in self.inspect(specs)}
        missing = [spec for spec in specs if reports[spec.name].state == "missing"]
        if missing:
            if is_embedded(self._metadata()):
                raise BrokerError(
                    "the embedded broker makes its topics when it starts, and none later: start it again without names "
                    f"of topics, and it has all; it lacks {', '.join(spec.name for spec in missing)}"
                )
            new = [self._new_topic(spec) for spec in missing]
            with self._asking("create topics"):
                futures = self._client.create_topics(new, request_timeout=self._timeout_seconds)
                for future in futures.values():
                    _ignoring_existing(future.result)
            for spec in missing:
                reports[spec.name] = TopicReport(spec.name, "created", self._settings.partitions)
        return list(reports.values())

    def _new_topic(self, spec: TopicSpec) -> NewTopic:
        return NewTopic(
            spec.name,
            num_partitions=self._settings.partitions,
            replication_factor=self._settings.replication_factor,
            config=spec.broker_configuration(),
        )

    def _metadata(self) -> ClusterMetadata:
        """Asks again and again: a call never tells why it fails, the callback served between two of them does."""
        started = time.monotonic()
        waited = 0.0
        with self._asking("list topics"):
            while True:
                patience = min(max(_LEAST_PATIENCE_SECONDS, waited), abs(self._timeout_seconds - waited))
                try:
                    metadata: ClusterMetadata = self._client.list_topics(timeout=max(0.1, patience))
                    self._causes.answered()
                    return metadata
                except KafkaException:
                    self._client.poll(0)
                    waited = time.monotonic() - started
                    too_slow = waited >= self._timeout_seconds + _SLOW_BROKER_SECONDS
                    if too_slow or self._causes.hopeless(waited >= self._timeout_seconds):
                        raise

    def _configurations(self, specs: Iterable[TopicSpec]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, spec.name) for spec in specs]
        if not resources:
            return {}
        with self._asking("describe topics"):
            futures = self._client.describe_configs(resources, request_timeout=self._timeout_seconds)
            return {
                resource.name: {name: entry.value for name, entry in future.result().items()}
                for resource, future in futures.items()
            }

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise BrokerError(f"cannot {what}: {self._causes.explain(error.args[0])}") from error


def missing_topics(kafka: KafkaSettings, missing: Iterable[str]) -> str:
    """The sentence for topics that are not on the broker, or that a login may not see."""
    hidden = f", or let user {kafka.sasl_username!r} describe them" if kafka.uses_login else ""
    return (
        f"the broker at {kafka.bootstrap_servers} has no topic {', '.join(missing)}: make what is missing with "
        f"`millrace topics apply`{hidden}"
    )


def is_embedded(metadata: ClusterMetadata) -> bool:
    """Whether this is librdkafka's mock cluster, which has no administration: requests for it would only time out."""
    return str(metadata.cluster_id).startswith("mockCluster")


def _differences(spec: TopicSpec, configuration: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{name} is {configuration[name]}, the table says {wanted}"
        for name, wanted in spec.broker_configuration().items()
        if name in configuration and configuration[name] != wanted
    )


def _ignoring_existing(result: Callable[[], None]) -> None:
    """Another process may have made the topic between our look and our request."""
    try:
        result()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
