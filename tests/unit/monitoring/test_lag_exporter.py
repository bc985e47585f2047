"""What the exporter shows of a reading, for how long, and what it says of a broker that is away."""

import logging
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from monitoring.cluster_lag import ClusterReading, GroupPartition, GroupReading, PartitionState
from monitoring.exposition import render
from monitoring.lag import LagUnavailable
from monitoring.lag_exporter import LagExporter
from monitoring.metrics import create_lag_exporter_metrics
from monitoring.settings import LagExporterSettings

P0, P1, P2 = (("t", number) for number in range(3))
READING = ClusterReading(
    brokers={1: "broker:9092", 2: "other:9092"},
    partitions={
        P0: PartitionState(1, (1, 2), (1, 2)),
        P1: PartitionState(2, (1, 2), (2,)),
        P2: PartitionState(-1, (1,), ()),
    },
    ends={P0: (3, 10), P1: (0, 5)},
    groups=(
        GroupReading("g", 2, {P0: GroupPartition(6, 4, False, 1.5), P1: GroupPartition(None, None, None, None)}),
        GroupReading("unknown members", None, {P0: GroupPartition(9, 1, True, 0.0)}),
    ),
    failures={},
)
ORDER = ("id", "address", "consumergroup", "topic", "partition", "operation", "reason")


@dataclass
class Broker:
    """Answers what it is told to; each look takes `seconds` of its clock."""

    answer: ClusterReading | LagUnavailable = READING
    seconds: float = 1.0
    now: float = 1_000.0
    explained: list[str] = field(default_factory=list)

    def read(self) -> ClusterReading:
        self.now += self.seconds
        if isinstance(self.answer, LagUnavailable):
            raise self.answer
        return self.answer

    def clock(self) -> float:
        return self.now

    def explain(self, error: LagUnavailable) -> str:
        self.explained.append(error.reason)
        return f"because of {error.reason}"


class Scene:
    def __init__(self) -> None:
        self.broker = Broker()
        self.registry = CollectorRegistry()
        self.exporter = LagExporter(
            self.broker.read,
            create_lag_exporter_metrics(self.registry),
            10.0,
            self.broker.explain,
            self.broker.clock,
        )
        self.registry.register(self.exporter)

    def samples(self) -> dict[tuple[str, str], float]:
        """Value by name and the values of the labels."""
        return {
            (sample.name, " ".join(sample.labels[name] for name in ORDER if name in sample.labels)): sample.value
            for family in text_string_to_metric_families(render(self.registry)[0].decode())
            for sample in family.samples
        }

    def shown(self) -> bool:
        return any(name.startswith("kafka_") for name, _ in self.samples())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_names_labels_and_values_are_those_of_kafka_exporter(scene: Scene) -> None:
    scene.exporter.look()
    samples = {key: value for key, value in scene.samples().items() if key[0].startswith("kafka_")}
    lag_seconds = {key: samples.pop(key) for key in list(samples) if key[0] == "kafka_consumergroup_lag_seconds"}

    assert samples == {
        ("kafka_brokers", ""): 2,
        ("kafka_broker_info", "1 broker:9092"): 1,
        ("kafka_broker_info", "2 other:9092"): 1,
        ("kafka_topic_partitions", "t"): 3,
        ("kafka_topic_partition_current_offset", "t 0"): 10,
        ("kafka_topic_partition_current_offset", "t 1"): 5,
        ("kafka_topic_partition_oldest_offset", "t 0"): 3,
        ("kafka_topic_partition_oldest_offset", "t 1"): 0,
        ("kafka_topic_partition_leader", "t 0"): 1,
        ("kafka_topic_partition_leader", "t 1"): 2,
        ("kafka_topic_partition_leader", "t 2"): -1,
        ("kafka_topic_partition_replicas", "t 0"): 2,
        ("kafka_topic_partition_replicas", "t 1"): 2,
        ("kafka_topic_partition_replicas", "t 2"): 1,
        ("kafka_topic_partition_in_sync_replica", "t 0"): 2,
        ("kafka_topic_partition_in_sync_replica", "t 1"): 1,
        ("kafka_topic_partition_in_sync_replica", "t 2"): 0,
        ("kafka_topic_partition_leader_is_preferred", "t 0"): 1,
        ("kafka_topic_partition_leader_is_preferred", "t 1"): 0,
        ("kafka_topic_partition_leader_is_preferred", "t 2"): 0,
        ("kafka_topic_partition_under_replicated_partition", "t 0"): 0,
        ("kafka_topic_partition_under_replicated_partition", "t 1"): 1,
        ("kafka_topic_partition_under_replicated_partition", "t 2"): 1,
        ("kafka_consumergroup_members", "g"): 2,
        ("kafka_consumergroup_current_offset", "g t 0"): 6,
        ("kafka_consumergroup_current_offset", "g t 1"): -1,
        ("kafka_consumergroup_current_offset", "unknown members t 0"): 9,
        ("kafka_consumergroup_current_offset_sum", "g t"): 5,
        ("kafka_consumergroup_current_offset_sum", "unknown members t"): 9,
        ("kafka_consumergroup_lag", "g t 0"): 4,
        ("kafka_consumergroup_lag", "g t 1"): -1,
        ("kafka_consumergroup_lag", "unknown members t 0"): 1,
        ("kafka_consumergroup_lag_sum", "g t"): 4,
        ("kafka_consumergroup_lag_sum", "unknown members t"): 1,
    }
    assert lag_seconds == {
        ("kafka_consumergroup_lag_seconds", "g t 0"): 1.5,
        ("kafka_consumergroup_lag_seconds", "unknown members t 0"): 0,
    }


def test_labels_have_the_names_that_dashboards_ask_for(scene: Scene) -> None:
    scene.exporter.look()
    labels = {sample.name: tuple(sample.labels) for family in scene.registry.collect() for sample in family.samples}

    assert labels["kafka_consumergroup_lag"] == ("consumergroup", "topic", "partition")
    assert labels["kafka_consumergroup_lag_seconds"] == ("consumergroup", "topic", "partition")
    assert labels["kafka_consumergroup_lag_sum"] == ("consumergroup", "topic")
    assert labels["kafka_consumergroup_members"] == ("consumergroup",)
    assert labels["kafka_topic_partition_current_offset"] == ("topic", "partition")


def test_nothing_is_shown_before_the_first_look(scene: Scene) -> None:
    assert not scene.shown()
    assert scene.samples()["millrace_lag_exporter_last_success_timestamp_seconds", ""] == 0


def test_a_look_that_fails_takes_every_lag_away_and_is_counted(scene: Scene) -> None:
    scene.exporter.look()
    assert scene.shown()

    scene.broker.answer = LagUnavailable("away", "_TRANSPORT")
    scene.exporter.look()

    assert not scene.shown()
    assert scene.samples()["millrace_lag_exporter_errors_total", "cluster _TRANSPORT"] == 1
    assert scene.samples()["millrace_lag_exporter_last_success_timestamp_seconds", ""] == 1_001


def test_an_outage_is_told_once_and_so_is_its_end(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scene.broker.answer = LagUnavailable("away", "_TRANSPORT")
    for _ in range(3):
        scene.exporter.look()
    scene.broker.answer = READING
    for _ in range(3):
        scene.exporter.look()

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "because of _TRANSPORT" in caplog.text
    assert scene.broker.explained == ["_TRANSPORT"]
    assert scene.shown()


def test_a_look_that_hangs_takes_the_old_one_away(scene: Scene) -> None:
    scene.exporter.look()
    scene.broker.now += 30
    assert scene.shown()
    scene.broker.now += 0.1

    assert not scene.shown()


def test_looks_that_take_longer_than_the_interval_do_not_make_the_lag_flicker(scene: Scene) -> None:
    scene.broker.seconds = 25
    scene.exporter.look()
    scene.broker.now += 70

    assert scene.shown()
    assert scene.samples()["millrace_lag_exporter_collection_seconds", ""] == 25


def test_a_group_that_cannot_be_read_hides_no_other(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.broker.answer = ClusterReading(
        READING.brokers, READING.partitions, READING.ends, READING.groups, {"secret": "GROUP_AUTHORIZATION_FAILED"}
    )
    scene.exporter.look()
    scene.exporter.look()

    assert scene.samples()["kafka_consumergroup_lag", "g t 0"] == 4
    assert scene.samples()["millrace_lag_exporter_errors_total", "group GROUP_AUTHORIZATION_FAILED"] == 2
    assert caplog.text.count("secret") == 1


@pytest.mark.parametrize("name", ["groups", "topics"])
def test_a_pattern_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        LagExporterSettings.model_validate({name: "("})
