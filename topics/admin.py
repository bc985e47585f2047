"""Makes topics, and holds what the broker has against the table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, ResourceType

from topics.catalogue import TopicSpec
from topics.clients import client_config
from topics.settings import KafkaSettings


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
    """Administration of topics. Every method raises BrokerError when the broker does not answer."""

    def __init__(self, settings: KafkaSettings, timeout_seconds: float = 5.0) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._cause: KafkaError | None = None
        with self._asking("use these settings"):
            self._client = AdminClient({**client_config(settings), "error_cb": self._remember})

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

    def apply(self, specs: Sequence[TopicSpec]) -> list[TopicReport]:
        """Create what is missing; what is there is reported, never changed. A repeat creates nothing."""
        reports = {report.name: report for report in self.inspect(specs)}
        missing = [spec for spec in specs if reports[spec.name].state == "missing"]
        if missing:
            if is_embedded(self._metadata()):
                raise BrokerError("the embedded broker makes its topics when it starts, and none later")
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
        with self._asking("list topics"):
            metadata: ClusterMetadata = self._client.list_topics(timeout=self._timeout_seconds)
            return metadata

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
            raise BrokerError(self._explain(what, error)) from error

    def _remember(self, error: KafkaError) -> None:
        """Librdkafka hides causes such as a wrong password behind a later time-out: keep the first that is not one."""
        if self._cause is None and error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._cause = error

    def _explain(self, what: str, error: KafkaException) -> str:
        cause = self._cause.str() if self._cause is not None else error.args[0].str()
        return (
            f"cannot {what} at {self._settings.bootstrap_servers}: {cause}. "
            "Is the broker up, and are kafka.bootstrap_servers and the credentials right?"
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
