"""`millrace topics`: the broker against the table, for people and programs. The broker is librdkafka's mock cluster."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.topics_commands import app
from topics.catalogue import CATALOG_PRODUCTS, TOPICS
from topics.embedded_broker import MockCluster

NAMES = [spec.name for spec in TOPICS]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockCluster]:
    cluster = MockCluster()
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap_servers)
    yield cluster
    cluster.close()


def topics(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def facts(result: Result) -> dict[str, object]:
    lines = result.stdout.splitlines()
    assert len(lines) == 1
    answer: dict[str, object] = json.loads(lines[0])
    return answer


@pytest.mark.parametrize("command", ["list", "apply"])
def test_a_broker_with_all_topics_is_fine(cluster: MockCluster, command: str) -> None:
    for name in NAMES:
        cluster.create_topic(name, 3)

    result = topics(command, "--json")

    assert result.exit_code == 0
    assert facts(result) == {
        "topics": [{"name": name, "state": "present", "partitions": 3, "differences": []} for name in NAMES]
    }


def test_missing_topics_are_told_with_what_to_do(cluster: MockCluster) -> None:
    cluster.create_topic(CATALOG_PRODUCTS, 1)

    result = topics("list", "--json")

    assert result.exit_code == 1
    answer = facts(result)
    assert "millrace topics apply" in str(answer["error"])
    assert [(one["name"], one["state"]) for one in answer["topics"]] == [  # type: ignore[attr-defined]
        (name, "present" if name == CATALOG_PRODUCTS else "missing") for name in NAMES
    ]


def test_a_person_sees_a_table(cluster: MockCluster) -> None:
    for name in NAMES:
        cluster.create_topic(name, 3)

    result = topics("list")

    assert result.exit_code == 0
    assert all(name in result.stdout for name in NAMES)
    assert "newest of each key" in result.stdout
    assert "30 days" in result.stdout


def test_the_embedded_broker_says_that_it_makes_no_topics_later(cluster: MockCluster) -> None:
    cluster.create_topic(CATALOG_PRODUCTS, 1)

    result = topics("apply", "--json")

    assert result.exit_code == 1
    error = str(facts(result)["error"])
    assert "embedded broker" in error
    assert "start it again without names of topics" in error
    assert all(name in error for name in NAMES[1:])


def test_an_embedded_broker_that_is_told_no_topics_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "topics.embedded_broker", "--partitions", "2"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdin is not None
        assert broker.stdout is not None
        monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", broker.stdout.readline().strip())
        result = topics("apply", "--json")
        broker.stdin.close()

    assert result.exit_code == 0
    assert [one["name"] for one in facts(result)["topics"]] == NAMES  # type: ignore[attr-defined]


def test_settings_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    result = topics("list", "--json", "--config", str(tmp_path / "none.toml"))

    assert result.exit_code == 1
    assert "none.toml" in str(facts(result)["error"])
