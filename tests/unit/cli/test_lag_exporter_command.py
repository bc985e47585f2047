"""`millrace lag-exporter --once`: the first look, on librdkafka's mock cluster, which lists no groups."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from typer.testing import CliRunner

from cli.lag_exporter import oldest_age
from cli.main import app
from monitoring.cluster_lag import GroupPartition
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP
from topics.embedded_broker import MockCluster


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    cluster = MockCluster()
    cluster.create_topic(CATALOG_PRODUCTS, 2)
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap_servers)
    yield cluster.bootstrap_servers
    cluster.close()


def produce(servers: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for _ in range(count):
        producer.produce(CATALOG_PRODUCTS, b"x", partition=0)
    assert producer.flush(10) == 0


def commit(servers: str, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": INDEX_PRODUCTS_GROUP})
    consumer.commit(offsets=[TopicPartition(CATALOG_PRODUCTS, 0, offset)], asynchronous=False)
    consumer.close()


def lags(*options: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, ["lag-exporter", "--once", "--json", *options])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout.splitlines()[-1])
    assert facts["failures"] == {}
    found: list[dict[str, object]] = facts["lags"]
    return found


def test_the_workers_group_is_told_of_where_the_broker_lists_none(servers: str) -> None:
    produce(servers, 5)
    commit(servers, 2)

    [row] = lags()

    assert (row["group"], row["topic"], row["members"]) == (INDEX_PRODUCTS_GROUP, CATALOG_PRODUCTS, None)
    assert (row["events"], row["lag"], row["partitions_without_commit"]) == (3, 3, 1)
    assert isinstance(row["oldest_age_seconds"], float)


def test_a_group_that_has_all_waits_for_nothing(servers: str) -> None:
    produce(servers, 5)
    commit(servers, 5)

    [row] = lags()

    assert (row["events"], row["oldest_age_seconds"]) == (0, 0.0)


@pytest.mark.parametrize("option", [("--group", "^other$"), ("--topic", "^other$")])
def test_what_the_expressions_leave_out_is_not_told(servers: str, option: tuple[str, str]) -> None:
    assert lags("--group", "millrace", "--topic", "products")
    assert lags(*option) == []


def test_an_expression_from_the_settings_counts_too(servers: str, tmp_path: Path) -> None:
    file = tmp_path / "millrace.toml"
    file.write_text('[lag_exporter]\ngroups = "^other$"\n')

    assert lags("--config", str(file)) == []


@pytest.mark.parametrize(
    ("arguments", "told"), [(["--once", "--group", "("], "no regular expression"), (["--json"], "--once")]
)
def test_what_cannot_be_done_is_told(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["lag-exporter", *arguments], env={"COLUMNS": "200"})

    assert result.exit_code != 0
    assert told in result.output


def partition(lag: int | None, age: float | None) -> GroupPartition:
    return GroupPartition(0, lag, lag == 0, age)


@pytest.mark.parametrize(
    ("partitions", "age"),
    [
        ([], 0.0),
        ([partition(0, 0.0)], 0.0),
        ([partition(3, 2.0), partition(1, 5.0), partition(0, 0.0)], 5.0),
        ([partition(3, None), partition(0, 0.0)], None),
        ([partition(3, None), partition(1, 5.0)], None),
        ([partition(None, None), partition(1, 5.0)], 5.0),
    ],
)
def test_the_oldest_age_is_unknown_as_soon_as_one_that_waits_is(
    partitions: list[GroupPartition], age: float | None
) -> None:
    assert oldest_age(partitions) == age
