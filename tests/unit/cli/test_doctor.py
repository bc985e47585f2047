"""`millrace doctor`: what is wrong is found, and said with what to do. The broker is librdkafka's mock cluster."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from typer.testing import CliRunner

from cli.doctor import Finding, examine
from cli.main import app
from cli.settings import Settings, changed_settings
from feedback.factory import create_store
from feedback.settings import ProfileSettings
from topics.catalogue import (
    BEHAVIOR_EVENTS,
    BEHAVIOR_QUERIES,
    CATALOG_PRODUCTS,
    CLICK_LOOP_GROUP,
    INDEX_PRODUCTS_GROUP,
    TOPICS,
)
from topics.embedded_broker import MockCluster

HASH = {"text": {"model": "hash"}, "image": {"model": "hash"}}
NOW = 1_795_000_000.0
CHECKS = ["broker", "workers", "click loop", "models", "index", "pictures", "profiles"]


@pytest.fixture
def servers() -> Iterator[str]:
    cluster = MockCluster()
    for spec in TOPICS:
        cluster.create_topic(spec.name, 2)
    yield cluster.bootstrap_servers
    cluster.close()


def settings(servers: str, **changes: Any) -> Settings:
    sound = {"kafka": {"bootstrap_servers": servers}, "encoders": HASH, "index": {"kind": "memory"}}
    return changed_settings(changed_settings(Settings(), sound), changes)


def findings(servers: str, **changes: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(settings(servers, **changes), lambda: NOW)}


def commit(servers: str, group: str, place: TopicPartition) -> None:
    with closing(Consumer({"bootstrap.servers": servers, "group.id": group})) as consumer:
        consumer.commit(offsets=[place], asynchronous=False)


def failed(found: dict[str, Finding]) -> list[str]:
    return [name for name, finding in found.items() if not finding.ok]


def test_a_sound_installation_has_no_complaints(servers: str, tmp_path: Path) -> None:
    found = findings(servers, encoders={"image_sources": {"file_root": str(tmp_path)}})

    assert list(found) == CHECKS
    assert failed(found) == []
    assert servers in found["broker"].found
    assert "hash@" in found["models"].found
    assert "0 products" in found["index"].found
    assert str(tmp_path) in found["pictures"].found


def test_a_broker_that_is_away_is_named_and_no_worker_is_asked_for(servers: str) -> None:
    found = findings("127.0.0.1:1")

    assert failed(found) == ["broker"]
    assert "127.0.0.1:1" in found["broker"].found
    assert "kafka.bootstrap_servers" in found["broker"].advice
    assert "workers" not in found


def test_missing_topics_are_named_with_the_command_that_makes_them() -> None:
    cluster = MockCluster()
    cluster.create_topic(CATALOG_PRODUCTS, 1)
    found = findings(cluster.bootstrap_servers)
    cluster.close()

    assert failed(found) == ["broker"]
    assert all(spec.name in found["broker"].found for spec in TOPICS[1:])
    assert "millrace topics apply" in found["broker"].advice


def test_events_that_nobody_indexes_are_counted(servers: str) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for _ in range(3):
        producer.produce(CATALOG_PRODUCTS, b"x")
    assert producer.flush(10) == 0

    found = findings(servers)

    assert failed(found) == ["workers"]
    assert found["workers"].found.startswith("3 ")
    assert "millrace worker" in found["workers"].advice


def test_events_that_nobody_joins_are_counted(servers: str) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for topic in (BEHAVIOR_EVENTS, BEHAVIOR_EVENTS, BEHAVIOR_QUERIES):
        producer.produce(topic, b"x")
    assert producer.flush(10) == 0

    found = findings(servers)

    assert failed(found) == ["click loop"]
    assert found["click loop"].found.startswith("3 ")
    assert "millrace click-loop" in found["click loop"].advice


@pytest.mark.parametrize(
    ("check", "group", "topic", "age_seconds", "ok"),
    [
        ("workers", INDEX_PRODUCTS_GROUP, CATALOG_PRODUCTS, 10, True),
        ("workers", INDEX_PRODUCTS_GROUP, CATALOG_PRODUCTS, 10.1, False),
        ("click loop", CLICK_LOOP_GROUP, BEHAVIOR_EVENTS, 15, True),  # it gathers for five seconds
        ("click loop", CLICK_LOOP_GROUP, BEHAVIOR_EVENTS, 15.1, False),
    ],
)
def test_a_busy_group_may_be_behind_by_some_seconds(
    servers: str, check: str, group: str, topic: str, age_seconds: float, ok: bool
) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for age in (3_600, age_seconds):
        producer.produce(topic, b"x", partition=0, timestamp=int((NOW - age) * 1000))
    assert producer.flush(10) == 0
    commit(servers, group, TopicPartition(topic, 0, 1))

    finding = findings(servers)[check]

    assert finding.found.startswith("1 ")
    assert f"up to {10 if check == 'workers' else 15} s is normal" in finding.found
    assert finding.ok == ok
    assert ok or "see its log" in finding.advice


def test_a_model_that_cannot_be_loaded_is_told_and_the_index_left_out(servers: str, tmp_path: Path) -> None:
    found = findings(servers, encoders={"text": {"model": str(tmp_path / "no-model")}})

    assert failed(found) == ["models"]
    assert "no-model" in found["models"].advice
    assert "index" not in found


def test_an_index_that_is_away_is_told(servers: str) -> None:
    found = findings(servers, index={"kind": "milvus", "uri": "http://127.0.0.1:1", "timeout_seconds": 0.5})

    assert failed(found) == ["index"]
    assert "127.0.0.1:1" in found["index"].found


def test_a_picture_folder_that_is_not_there_is_told(servers: str, tmp_path: Path) -> None:
    found = findings(servers, encoders={"image_sources": {"file_root": str(tmp_path / "gone")}})

    assert failed(found) == ["pictures"]
    assert "gone" in found["pictures"].found


@pytest.mark.parametrize("kind", ["memory", "none"])
def test_the_command_answers_people_and_programs(servers: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", servers)
    monkeypatch.setenv("MILLRACE__ENCODERS__TEXT__MODEL", "hash")
    monkeypatch.setenv("MILLRACE__ENCODERS__IMAGE__MODEL", "hash" if kind == "memory" else "/no/model")
    monkeypatch.setenv("MILLRACE__INDEX__KIND", "memory")

    result = CliRunner().invoke(app, ["doctor", "--json"])

    facts = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == (0 if kind == "memory" else 1)
    assert ("error" in facts) == (kind == "none")
    assert [set(check) for check in facts["checks"]] == [{"check", "ok", "found", "advice"}] * len(facts["checks"])
    assert all(check["ok"] == (not check["advice"]) for check in facts["checks"])


def test_profiles_that_are_not_there_yet_need_a_folder(servers: str, tmp_path: Path) -> None:
    path = tmp_path / "profiles.sqlite"
    assert "the click loop makes it" in findings(servers, profiles={"path": path})["profiles"].found
    assert not path.exists()

    found = findings(servers, profiles={"path": tmp_path / "nowhere" / "profiles.sqlite"})["profiles"]
    assert "nowhere cannot be written to" in found.found
    assert "profiles.path" in found.advice


def test_a_profile_store_that_cannot_be_used_says_why(servers: str, tmp_path: Path) -> None:
    path = tmp_path / "profiles.sqlite"
    path.write_bytes(b"something else" * 100)
    assert "not a database" in findings(servers, profiles={"path": path})["profiles"].advice

    path.unlink()
    create_store(ProfileSettings(path=path)).close()
    assert findings(servers, profiles={"path": path})["profiles"].found == "the profile store (sqlite) answers"
