"""The lag of a cluster as Prometheus metrics, with the names and labels of danielqsj/kafka_exporter.

Beyond those: `kafka_consumergroup_lag_seconds`, the age of the oldest record that a group has not committed.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily

from monitoring.cluster_lag import ClusterReading, GroupReading, PartitionState
from monitoring.offsets import Place

_PARTITION = ("topic", "partition")
_GROUP = ("consumergroup",)
_GROUP_TOPIC = ("consumergroup", "topic")
_GROUP_PARTITION = ("consumergroup", "topic", "partition")
_NO_COMMIT = -1

Sample = tuple[tuple[str, ...], float]


def kafka_families(reading: ClusterReading) -> Iterator[GaugeMetricFamily]:
    """One family after another; what the broker did not tell has no sample."""
    yield from _of_cluster(reading)
    yield from _of_topics(reading.partitions, reading.ends)
    yield from _of_groups(reading.groups)


def _of_cluster(reading: ClusterReading) -> Iterator[GaugeMetricFamily]:
    yield _family("kafka_brokers", "Number of brokers in the cluster", (), [((), len(reading.brokers))])
    yield _family(
        "kafka_broker_info",
        "Information about the broker",
        ("id", "address"),
        (((str(number), address), 1) for number, address in reading.brokers.items()),
    )


def _of_topics(
    partitions: Mapping[Place, PartitionState], ends: Mapping[Place, tuple[int, int]]
) -> Iterator[GaugeMetricFamily]:
    def family(name: str, text: str, samples: Iterable[tuple[Place, float]]) -> GaugeMetricFamily:
        labelled = (((topic, str(number)), value) for (topic, number), value in samples)
        return _family(f"kafka_topic_partition_{name}", text, _PARTITION, labelled)

    counts = Tally(topic for topic, _ in partitions)
    states = partitions.items()
    yield _family(
        "kafka_topic_partitions",
        "Number of partitions of the topic",
        ("topic",),
        (((topic,), count) for topic, count in counts.items()),
    )
    yield family("current_offset", "Next offset to be written", ((place, end) for place, (_, end) in ends.items()))
    yield family("oldest_offset", "First offset that is kept", ((place, first) for place, (first, _) in ends.items()))
    yield family("leader", "Broker that leads the partition, -1: none", ((at, one.leader) for at, one in states))
    yield family("replicas", "Number of replicas", ((at, len(one.replicas)) for at, one in states))
    yield family("in_sync_replica", "Number of replicas in sync", ((at, len(one.in_sync)) for at, one in states))
    yield family(
        "leader_is_preferred",
        "1 where the leader is the preferred one",
        ((at, one.replicas[:1] == (one.leader,)) for at, one in states),
    )
    yield family(
        "under_replicated_partition",
        "1 where a replica is not in sync",
        ((at, len(one.in_sync) < len(one.replicas)) for at, one in states),
    )


def _of_groups(groups: tuple[GroupReading, ...]) -> Iterator[GaugeMetricFamily]:
    rows = [
        ((group.group, topic, str(number)), one)
        for group in groups
        for (topic, number), one in group.partitions.items()
    ]
    members = (((group.group,), group.members) for group in groups if group.members is not None)
    yield _family("kafka_consumergroup_members", "Members of the group", _GROUP, members)
    offsets = [(labels, _NO_COMMIT if one.committed is None else one.committed) for labels, one in rows]
    lags = [(labels, _NO_COMMIT if one.lag is None else one.lag) for labels, one in rows]
    ages = [(labels, one.age_seconds) for labels, one in rows if one.age_seconds is not None]
    name = "kafka_consumergroup"
    yield _family(f"{name}_current_offset", "Offset that the group has committed, -1: none", _GROUP_PARTITION, offsets)
    yield _family(f"{name}_current_offset_sum", "The same of all partitions of the topic", _GROUP_TOPIC, _sums(offsets))
    yield _family(
        f"{name}_lag", "Offsets not committed by the group, -1: it has no commit there", _GROUP_PARTITION, lags
    )
    yield _family(
        f"{name}_lag_sum",
        "The same of all partitions of the topic",
        _GROUP_TOPIC,
        _sums((labels, max(0, lag)) for labels, lag in lags),
    )
    yield _family(
        f"{name}_lag_seconds",
        "Age of the oldest record that the group can read and has not committed, 0: there is none",
        _GROUP_PARTITION,
        ages,
    )


def _sums(samples: Iterable[Sample]) -> Iterable[Sample]:
    sums: dict[tuple[str, ...], float] = {}
    for labels, value in samples:
        sums[labels[:2]] = sums.get(labels[:2], 0) + value
    return sums.items()


def _family(name: str, text: str, labels: tuple[str, ...], samples: Iterable[Sample]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, float(value))
    return family
