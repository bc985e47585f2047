"""Dead letters of a real worker: seen, fixed, replayed and put aside by the commands that a person would use."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.dead_letters import app
from cli.local_stack import LocalStack
from cli.wiring import open_publisher
from tests.services.shop import PATIENCE, Shop, quick_settings
from topics.catalogue import CATALOG_PRODUCTS, dead_letter_topic

pytestmark = pytest.mark.services

HOUR_MS = 3_600_000


@pytest.fixture(params=["embedded", "kafka"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalStack]:
    kafka = request.getfixturevalue("kafka") if request.param == "kafka" else None
    with LocalStack(tmp_path / "stack", quick_settings(tmp_path), server=False, kafka=kafka) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


@pytest.fixture
def shop(stack: LocalStack) -> Iterator[Shop]:
    with open_publisher(stack.settings, "shop") as publisher:
        yield Shop(stack.settings, publisher)


@pytest.fixture
def desk(stack: LocalStack, shop: Shop) -> "Desk":
    return Desk(stack.config)


class Desk:
    """`millrace dead-letters` with the stack's settings."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def run(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        result: Result = CliRunner().invoke(app, [*arguments, "--json", "--config", str(self.config)])
        assert result.exit_code == code, result.output
        facts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return facts

    def letters(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Open letters by key."""
        return {letter["key"]: letter for letter in self.run("list", *arguments)["letters"]}

    def write(self, letters: list[dict[str, Any]]) -> str:
        file = self.config.with_name("fixed.jsonl")
        file.write_text("\n".join(map(json.dumps, letters)))
        return str(file)


def broken(product_id: str, version: int) -> bytes:
    return json.dumps({"id": product_id, "title": f"title {version}", "updated_at": version, "price": "much"}).encode()


def repaired(letter: dict[str, Any]) -> dict[str, Any]:
    return letter | {"value": letter["value"].replace('"much"', '1, "currency": "EUR"')}


def place(letter: dict[str, Any]) -> str:
    return f"{letter['partition']}:{letter['offset']}"


def test_poison_is_seen_fixed_and_becomes_searchable(shop: Shop, desk: Desk) -> None:
    shop.send("good", 1)
    shop.send_raw("lamp", broken("lamp", 5), {"trace": b"\xff\x01"})
    shop.send_poison()
    shop.settle()

    letters = desk.letters()
    assert {key: letter["reason"] for key, letter in letters.items()} == {
        "lamp": "invalid_fields",
        "poison 0": "not_json",
    }
    (shown,) = desk.run("show", place(letters["lamp"]))["letters"]
    assert shown["value"].encode() == broken("lamp", 5)
    assert shown["headers"] == [{"name": "trace", "value_base64": "/wE="}]
    assert any(line.startswith("topics.codec:") for line in shown["stack"])
    assert "price" in shown["refused_now"]

    refused = desk.run("replay", place(shown), code=1)
    assert (refused["replayed"], len(refused["not_replayed"])) == (0, 1)
    sent = desk.run("replay", "--from-file", desk.write([repaired(shown)]))
    assert [letter["id"] for letter in sent["letters"]] == [shown["id"]]
    desk.run("discard", place(letters["poison 0"]), "--note", "a test")
    shop.newest["lamp"] = json.loads(repaired(shown)["value"])
    shop.settle()

    shop.assert_newest_is_searchable()
    assert desk.letters() == {}
    everything = desk.run("list", "--all")
    assert (everything["open"], everything["resolved"], everything["matching"]) == (0, 2, 2)
    done = {letter["key"]: letter["resolution"] for letter in everything["letters"]}
    assert (done["lamp"]["action"], done["lamp"]["fixed"]) == ("replayed", True)
    assert (done["poison 0"]["action"], done["poison 0"]["note"]) == ("discarded", "a test")


def test_a_replay_leaves_what_came_after_it(shop: Shop, desk: Desk) -> None:
    shop.send_raw("lamp", broken("lamp", 5))
    shop.send_raw("", None)  # a tombstone without a version: as new as its arrival
    shop.settle()
    now = int(time.time() * 1000)
    shop.send("lamp", 9)
    shop.send("older than the tombstone", 7)
    shop.send("newer than the tombstone", now + HOUR_MS)
    shop.settle()

    letters = desk.letters()
    tombstone = letters[""]
    assert tombstone["reason"] == "missing_key"
    fixed = [repaired(letters["lamp"]), tombstone | {"key": "older than the tombstone"}]
    assert desk.run("replay", "--from-file", desk.write(fixed))["replayed"] == 2
    shop.settle()
    again = tombstone | {"key": "newer than the tombstone"}
    assert desk.run("replay", "--from-file", desk.write([again]), "--again")["replayed"] == 1
    shop.newest["older than the tombstone"] = None
    shop.settle()

    shop.assert_newest_is_searchable()
    sent = [record for record in shop.read(CATALOG_PRODUCTS) if "replayed_from" in record.headers]
    assert len(sent) == 3
    version = b"%d" % (int(tombstone["id"].rsplit("/", 1)[1]) * 1000)
    assert [record.headers["updated_at_us"] for record in sent if record.value is None] == [version, version]


def test_a_second_replay_is_refused_and_what_fails_again_is_a_new_letter(shop: Shop, desk: Desk) -> None:
    shop.send_raw("lamp", broken("lamp", 5))
    shop.settle()
    (first,) = desk.letters().values()

    assert desk.run("replay", place(first), "--force")["replayed"] == 1
    shop.settle()
    refusal = desk.run("replay", place(first), "--force", code=1)
    assert "already replayed" in refusal["not_replayed"][0]["reason"]

    (second,) = desk.letters().values()
    assert second["replayed_from"] == first["id"]
    assert second["id"] != first["id"]
    assert len(shop.read(dead_letter_topic(CATALOG_PRODUCTS))) == 2


def test_bad_lines_hurt_nothing_else(shop: Shop, desk: Desk) -> None:
    shop.send_raw("lamp", broken("lamp", 5))
    shop.send_raw("chair", broken("chair", 5))
    shop.settle()
    letters = desk.letters()
    lines = [
        letters["chair"],  # not repaired
        {"id": "catalog.products/0/999/1", "key": "k", "value": "{}"},
        {"nonsense": 1},
        repaired(letters["lamp"]),
        repaired(letters["lamp"]),
    ]

    facts = desk.run("replay", "--from-file", desk.write(lines), code=1)
    shop.settle()

    assert facts["replayed"] == 1
    assert {bad["line"] for bad in facts["not_replayed"]} == {1, 2, 3, 5}
    assert set(desk.letters()) == {"chair"}
    shop.newest["lamp"] = json.loads(repaired(letters["lamp"])["value"])
    shop.assert_newest_is_searchable()


def test_letters_are_found_by_reason_key_and_time(shop: Shop, desk: Desk) -> None:
    shop.send_raw("lamp", broken("lamp", 5))
    shop.send_poison()
    shop.settle()

    assert set(desk.letters("--reason", "not_json")) == {"poison 0"}
    assert set(desk.letters("--key", "lamp")) == {"lamp"}
    assert set(desk.letters("--since", "10m", "--topic", "catalog.products")) == {"lamp", "poison 0"}
    assert desk.letters("--until", "10m") == {}
    assert desk.run("discard", "--key", "lamp", "--reason", "not_json")["discarded"] == 0
    assert desk.run("discard", "--every")["discarded"] == 2
    assert desk.run("discard", "--every")["discarded"] == 0
