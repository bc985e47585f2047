"""`millrace dead-letters` for people and programs. The broker is librdkafka's mock cluster."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.dead_letters import app
from topics.catalogue import CATALOG_PRODUCTS, DEAD_LETTER_RESOLUTIONS, DEAD_LETTER_SOURCES, dead_letter_topic
from topics.dead_letters import Source, header_pairs, refused
from topics.embedded_broker import MockCluster
from topics.events import InvalidEvent, InvalidReason
from topics.publisher import Publisher
from topics.settings import KafkaSettings

TOPICS = (CATALOG_PRODUCTS, *map(dead_letter_topic, DEAD_LETTER_SOURCES), DEAD_LETTER_RESOLUTIONS)
GOOD = b'{"id": "good", "title": "lamp", "updated_at": 1}'


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    cluster = MockCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def kafka(cluster: MockCluster, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    """Empty topics of the test's own, which the commands find by their variables."""
    namespace = re.sub(r"\W", ".", request.node.name)[:90]
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers, namespace=namespace)
    for topic in TOPICS:
        cluster.create_topic(settings.on_broker(topic), 1)
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("MILLRACE__KAFKA__NAMESPACE", settings.namespace)
    return settings


@pytest.fixture
def letters(kafka: KafkaSettings) -> None:
    """0:0 would be read today, 0:1 not; 0:2 has what a terminal would obey; 0:3 is longer than a page."""
    contents = (
        (b"good", GOOD, InvalidReason.ENCODER_REFUSED),
        (b"bad", b"{broken", InvalidReason.NOT_JSON),
        (b"\x1b[31m[bold]", b"\x1b[2J\x07", InvalidReason.NOT_JSON),
        (b"long", b"x" * 5_000, InvalidReason.NOT_JSON),
    )
    publisher = Publisher(kafka, "test")
    for offset, (key, value, reason) in enumerate(contents):
        why = InvalidEvent(reason, "it is [red]so[/]", value, stack="streams.indexer:1 Indexer._read")
        letter = refused(Source(CATALOG_PRODUCTS, 0, offset, 5), key, value, [("trace", b"\xff")], why)
        publisher.publish(dead_letter_topic(CATALOG_PRODUCTS), key, value, header_pairs(letter))
    assert publisher.close() == 0


def call(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "140"})
    assert result.exit_code == code, result.output
    return result


def facts(*arguments: str, code: int = 0) -> dict[str, Any]:
    lines = call(*arguments, "--json", code=code).stdout.splitlines()
    assert len(lines) == 1
    answer: dict[str, Any] = json.loads(lines[0])
    return answer


@pytest.mark.usefixtures("letters")
def test_a_person_sees_a_table_and_what_to_do_next() -> None:
    text = call("list").stdout

    for part in ("0:1", "not_json", "bad", "it is [red]so[/]", "open: 4 (3 not_json, 1 encoder_refused)"):
        assert part in text
    assert "millrace dead-letters show 0:" in text


@pytest.mark.usefixtures("letters")
def test_a_long_list_shows_the_newest_and_says_so() -> None:
    assert "the newest 2 of 4; --limit 0 shows all" in call("list", "--limit", "2").stdout
    assert [letter["offset"] for letter in facts("list", "--limit", "1")["letters"]] == [3]
    assert len(facts("list", "--limit", "0")["letters"]) == 4


@pytest.mark.usefixtures("letters")
def test_a_list_for_programs_has_no_messages() -> None:
    assert {"value", "headers", "stack"}.isdisjoint(facts("list", "--limit", "1")["letters"][0])


@pytest.mark.usefixtures("letters")
def test_nothing_in_a_letter_reaches_the_terminal_as_a_command() -> None:
    for text in (call("list").stdout, call("show", "0:2").stdout):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert r"\x1b[31m[bold]" in text


@pytest.mark.usefixtures("letters")
def test_a_letter_is_shown_with_its_origin_and_the_way_out() -> None:
    text = call("show", "0:1").stdout

    for part in ("{broken", "streams.indexer:1 Indexer._read", r"trace: \xff", "would be refused again: not_json"):
        assert part in text
    assert "show 0:1 --json > fixed.json" in text
    assert "discard 0:1" in text
    assert "replay 0:0" in call("show", "0:0").stdout


@pytest.mark.usefixtures("letters")
def test_a_long_message_is_shown_in_full_on_request() -> None:
    assert "x" * 140 * 20 not in call("show", "0:3").stdout.replace(" ", "").replace("\n", "")
    assert "5000 bytes in all: --full" in call("show", "0:3").stdout
    assert "--full" not in call("show", "0:3", "--full").stdout


@pytest.mark.usefixtures("letters")
def test_a_dry_run_says_what_would_happen_and_does_nothing() -> None:
    told = facts("replay", "--every", "--dry-run", code=1)

    assert (told["would_be_sent"], told["replayed"], len(told["not_replayed"])) == (1, 0, 3)
    assert facts("discard", "--every", "--dry-run")["letters"] != []
    assert facts("list")["open"] == 4


@pytest.mark.usefixtures("letters")
def test_a_letter_is_replayed_once_and_again_only_on_request() -> None:
    assert facts("replay", "0:0")["letters"] == [{"id": "catalog.products/0/0/5", "partition": 0, "offset": 0}]
    assert "already replayed" in facts("replay", "0:0", code=1)["not_replayed"][0]["reason"]
    assert facts("replay", "0:0", "--again")["letters"][0]["offset"] == 1
    assert "replayed" in call("show", "0:0").stdout


@pytest.mark.usefixtures("letters")
def test_discarding_again_changes_nothing_and_says_so() -> None:
    call("discard", "0:1", "--by", "anna", "--note", "test data")
    result = call("discard", "0:1", "--by", "ben")

    assert "discarded: 0" in result.stdout
    assert "by anna (test data)" in result.stderr
    assert facts("list")["resolved"] == 1


@pytest.mark.usefixtures("letters")
@pytest.mark.parametrize("command", ["show", "replay", "discard"])
def test_a_command_without_a_choice_asks_for_one(command: str) -> None:
    assert "--every" in facts(command, code=1)["error"]
    assert "millrace dead-letters list" in facts(command, "7:7", code=1)["error"]


@pytest.mark.usefixtures("letters")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.json")

    assert "none.json" in facts("replay", "--from-file", missing, code=1)["error"]
    assert "leave places and filters out" in facts("replay", "--from-file", missing, "0:0", code=1)["error"]


@pytest.mark.usefixtures("letters")
def test_what_show_prints_goes_back_in_after_a_change(tmp_path: Path) -> None:
    file = tmp_path / "fixed.json"
    (letter,) = facts("show", "0:1")["letters"]
    file.write_text(json.dumps({"letters": [letter | {"key": "good", "value": GOOD.decode()}]}))

    assert facts("replay", "--from-file", str(file))["replayed"] == 1
    assert facts("list", "--all", "--reason", "not_json")["letters"][0]["resolution"]["fixed"]


@pytest.mark.usefixtures("kafka")
def test_no_letters_are_good_news() -> None:
    assert "open: 0" in call("list").stdout
    assert "no open dead letter matches" in call("show", "--every").stdout
    assert "nothing to replay" in call("replay", "--every").stdout


def test_a_broker_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")

    assert "127.0.0.1:1" in facts("list", code=1)["error"]


def test_a_broker_without_the_topics_is_told_with_what_to_do(
    cluster: MockCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap_servers)
    monkeypatch.setenv("MILLRACE__KAFKA__NAMESPACE", "nothing.here.")

    assert "millrace topics apply" in facts("list", code=1)["error"]
