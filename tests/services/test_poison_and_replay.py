"""Dead letters of a real worker: seen, fixed, replayed and put aside by the commands that a person would use.

One worker serves all tests on Kafka: each has keys of its own, and leaves no letter open.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.dead_letters import app
from cli.local_stack import LocalStack
from cli.wiring import open_publisher
from tests.services.shop import PATIENCE, Shop, quick_settings
from topics.catalogue import CATALOG_PRODUCTS
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

HOUR_MS = 3_600_000


class Desk:
    """`millrace dead-letters` with the stack's settings."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def run(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        result: Result = CliRunner().invoke(app, [*arguments, "--json", "--config", str(self.config)])
        assert result.exit_code == code, result.output
        facts: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
        return facts

    def letters(self) -> dict[str, dict[str, Any]]:
        """Open letters by key, with their messages."""
        return {letter["key"]: letter for letter in self.run("show", "--every")["letters"]}

    def keys(self, *arguments: str) -> set[str]:
        """Of the open letters that a list with these arguments has."""
        return {letter["key"] for letter in self.run("list", *arguments)["letters"]}

    def write(self, letters: list[dict[str, Any]]) -> str:
        file = self.config.with_name("fixed.jsonl")
        file.write_text("\n".join(map(json.dumps, letters)))
        return str(file)


@contextmanager
def served(folder: Path, kafka: KafkaSettings | None) -> Iterator[tuple[Shop, Desk]]:
    """A shop with a worker, on the embedded broker or on Kafka."""
    with LocalStack(folder, quick_settings(folder), server=False, kafka=kafka) as stack:
        stack.wait_until_ready(PATIENCE)
        with open_publisher(stack.settings, "shop") as publisher:
            yield Shop(stack.settings, publisher), Desk(stack.config)


@pytest.fixture
def on_embedded(tmp_path: Path) -> Iterator[tuple[Shop, Desk]]:
    with served(tmp_path / "stack", None) as both:
        yield both


@pytest.fixture(scope="module")
def on_kafka(tmp_path_factory: pytest.TempPathFactory, module_kafka: KafkaSettings) -> Iterator[tuple[Shop, Desk]]:
    with served(tmp_path_factory.mktemp("stack"), module_kafka) as both:
        yield both


@pytest.fixture
def shop(on_kafka: tuple[Shop, Desk]) -> Shop:
    return on_kafka[0]


@pytest.fixture
def desk(on_kafka: tuple[Shop, Desk]) -> Iterator[Desk]:
    yield on_kafka[1]
    on_kafka[1].run("discard", "--every")


def broken(product_id: str, version: int) -> bytes:
    return json.dumps({"id": product_id, "title": f"title {version}", "updated_at": version, "price": "much"}).encode()


def repaired(letter: dict[str, Any]) -> dict[str, Any]:
    return letter | {"value": letter["value"].replace('"much"', '1, "currency": "EUR"')}


def place(letter: dict[str, Any]) -> str:
    return f"{letter['partition']}:{letter['offset']}"


@pytest.mark.parametrize("broker", ["on_embedded", "on_kafka"])
def test_poison_is_seen_fixed_and_becomes_searchable(request: pytest.FixtureRequest, broker: str) -> None:
    shop, desk = request.getfixturevalue(broker)
    poison = f"poison {shop.poison}"
    shop.send("good", 1)
    shop.send_raw("lamp", broken("lamp", 5), {"trace": b"\xff\x01"})
    shop.send_poison()
    shop.settle()

    letters = desk.letters()
    assert {key: letter["reason"] for key, letter in letters.items()} == {"lamp": "invalid_fields", poison: "not_json"}
    (shown,) = desk.run("show", place(letters["lamp"]))["letters"]
    assert shown["value"].encode() == broken("lamp", 5)
    assert shown["headers"] == [{"name": "trace", "value_base64": "/wE="}]
    assert any(line.startswith("topics.codec:") for line in shown["stack"])
    assert "price" in shown["refused_now"]

    refused = desk.run("replay", place(shown), code=1)
    assert (refused["replayed"], len(refused["not_replayed"])) == (0, 1)
    sent = desk.run("replay", "--from-file", desk.write([repaired(shown)]))
    assert [letter["id"] for letter in sent["letters"]] == [shown["id"]]
    desk.run("discard", place(letters[poison]), "--note", "a test")
    shop.newest["lamp"] = json.loads(repaired(shown)["value"])
    shop.settle()

    shop.assert_newest_is_searchable()
    assert desk.letters() == {}
    everything = desk.run("list", "--all")
    assert everything["open"] == 0
    assert everything["resolved"] == everything["matching"] == len(everything["letters"])
    done = {letter["key"]: letter["resolution"] for letter in everything["letters"]}
    assert (done["lamp"]["action"], done["lamp"]["fixed"]) == ("replayed", True)
    assert (done[poison]["action"], done[poison]["note"]) == ("discarded", "a test")


def test_a_replay_leaves_what_came_after_it(shop: Shop, desk: Desk) -> None:
    shop.send_raw("changed since", broken("changed since", 5))
    shop.send_raw("", None)  # a tombstone without a version: as new as its arrival
    shop.settle()
    now = int(time.time() * 1000)
    shop.send("changed since", 9)
    shop.send("older than the tombstone", 7)
    shop.send("newer than the tombstone", now + HOUR_MS)
    shop.settle()

    letters = desk.letters()
    tombstone = letters[""]
    assert tombstone["reason"] == "missing_key"
    fixed = [repaired(letters["changed since"]), tombstone | {"key": "older than the tombstone"}]
    assert desk.run("replay", "--from-file", desk.write(fixed))["replayed"] == 2
    shop.settle()
    again = tombstone | {"key": "newer than the tombstone"}
    assert desk.run("replay", "--from-file", desk.write([again]), "--again")["replayed"] == 1
    shop.newest["older than the tombstone"] = {"updated_at": int(tombstone["id"].rsplit("/", 1)[1])}
    shop.settle()

    shop.assert_newest_is_searchable()
    sent = [record for record in shop.read(CATALOG_PRODUCTS) if "replayed_from" in record.headers]
    assert sum(record.key == b"changed since" for record in sent) == 1
    version = b"%d" % (int(tombstone["id"].rsplit("/", 1)[1]) * 1000)
    assert [record.headers["updated_at_us"] for record in sent if record.value is None] == [version, version]


def test_a_second_replay_is_refused_and_what_fails_again_is_a_new_letter(shop: Shop, desk: Desk) -> None:
    shop.send_raw("refused twice", broken("refused twice", 5))
    shop.settle()
    (first,) = desk.letters().values()

    assert desk.run("replay", place(first), "--force")["replayed"] == 1
    shop.settle()
    refusal = desk.run("replay", place(first), "--force", code=1)
    assert "already replayed" in refusal["not_replayed"][0]["reason"]

    (second,) = desk.letters().values()
    assert second["replayed_from"] == first["id"]
    assert second["id"] != first["id"]
    assert sum(letter.key == b"refused twice" for letter in shop.dead_letters()) == 2


def test_bad_lines_hurt_nothing_else(shop: Shop, desk: Desk) -> None:
    shop.send_raw("table", broken("table", 5))
    shop.send_raw("chair", broken("chair", 5))
    shop.settle()
    letters = desk.letters()
    lines = [
        letters["chair"],  # not repaired
        {"id": "catalog.products/0/999/1", "key": "k", "value": "{}"},
        {"nonsense": 1},
        repaired(letters["table"]),
        repaired(letters["table"]),
    ]

    facts = desk.run("replay", "--from-file", desk.write(lines), code=1)
    shop.settle()

    assert facts["replayed"] == 1
    assert {bad["line"] for bad in facts["not_replayed"]} == {1, 2, 3, 5}
    assert desk.keys() == {"chair"}
    shop.newest["table"] = json.loads(repaired(letters["table"])["value"])
    shop.assert_newest_is_searchable()


def test_letters_are_found_by_reason_key_and_time(shop: Shop, desk: Desk) -> None:
    poison = f"poison {shop.poison}"
    shop.send_raw("sofa", broken("sofa", 5))
    shop.send_poison()
    shop.settle()

    assert desk.keys("--reason", "not_json") == {poison}
    assert desk.keys("--key", "sofa") == {"sofa"}
    assert desk.keys("--since", "10m", "--topic", "catalog.products") == {"sofa", poison}
    assert desk.keys("--until", "10m") == set()
    assert desk.run("discard", "--key", "sofa", "--reason", "not_json")["discarded"] == 0
    assert desk.run("discard", "--every")["discarded"] == 2
    assert desk.run("discard", "--every")["discarded"] == 0
