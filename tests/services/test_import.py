"""`millrace import` into a real (embedded) broker: everything that is sent can be read, however slow the reader."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from confluent_kafka import Consumer
from typer.testing import CliRunner, Result

from cli.import_products import import_command
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP
from topics.embedded_broker import PARTITION_CAPACITY_BYTES, EmbeddedBroker

pytestmark = pytest.mark.services


class SlowReader:
    """Reads and commits as the indexing group, some records at a time, and keeps the ids."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": INDEX_PRODUCTS_GROUP,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "queued.max.messages.kbytes": 256,
            }
        )
        self._stop = threading.Event()
        self.ids: set[str] = set()

    def read(self) -> None:
        self._consumer.subscribe([CATALOG_PRODUCTS])
        while not self._stop.is_set():
            messages = self._consumer.consume(10, timeout=0.2)
            if messages:
                self.ids |= {message.key().decode() for message in messages}
                self._stop.wait(0.02)
                self._consumer.commit(message=messages[-1], asynchronous=False)
        self._consumer.close()

    @contextmanager
    def running(self) -> Iterator["SlowReader"]:
        thread = threading.Thread(target=self.read)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def wait_for(self, count: int) -> None:
        for _ in range(300):
            if len(self.ids) >= count:
                return
            self._stop.wait(0.1)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """More than the embedded broker can hold of one partition."""
    path = tmp_path / "products.jsonl"
    with path.open("w") as file:
        for number in range(700):
            description = f"{number:06d}" * 3_000
            file.write(json.dumps({"id": f"p{number}", "title": "Dress", "description": description}) + "\n")
    assert path.stat().st_size > 2 * PARTITION_CAPACITY_BYTES
    return path


@pytest.fixture
def one_partition() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(partitions=1) as embedded:
        yield embedded


def millrace_import(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(import_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def connect(monkeypatch: pytest.MonkeyPatch, broker: EmbeddedBroker, max_backlog_bytes: int) -> None:
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap_servers)
    monkeypatch.setenv("MILLRACE__KAFKA__MAX_BACKLOG_BYTES_PER_PARTITION", str(max_backlog_bytes))


def test_what_is_sent_is_read_though_the_broker_forgets(
    one_partition: EmbeddedBroker, large_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, one_partition, 2 * 1024 * 1024)
    with SlowReader(one_partition.bootstrap_servers).running() as reader:
        result = millrace_import(large_file, "--json")
        facts = json.loads(result.stdout)
        reader.wait_for(facts["sent"])

    assert result.exit_code == 0, result.stderr
    assert (facts["read"], facts["sent"], facts["acknowledged"], facts["refused"]) == (700, 700, 700, 0)
    assert reader.ids == {f"p{number}" for number in range(700)}


def test_without_the_limit_the_broker_forgets_so_the_test_above_can_fail(
    one_partition: EmbeddedBroker, large_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, one_partition, 0)
    with SlowReader(one_partition.bootstrap_servers).running() as reader:
        facts = json.loads(millrace_import(large_file, "--json").stdout)
        last = f"p{facts['sent'] - 1}"
        for _ in range(300):
            if last in reader.ids:
                break
            threading.Event().wait(0.1)

    assert facts["acknowledged"] == 700
    assert last in reader.ids
    assert len(reader.ids) < 700


def test_without_a_worker_it_stops_and_says_what_to_start(
    one_partition: EmbeddedBroker, large_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, one_partition, 100_000)
    monkeypatch.setattr("cli.import_run._PATIENCE_SECONDS", 1.0)

    result = millrace_import(large_file, "--json")

    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert "millrace worker" in facts["error"]
    assert facts["error"].endswith(f"Go on with: millrace import {large_file} --resume")
    assert 0 < facts["acknowledged"] == facts["sent"] < 700


def test_a_broker_that_is_not_there_is_named(
    large_file: Path, monkeypatch: pytest.MonkeyPatch, unused_address: str
) -> None:
    monkeypatch.setenv("MILLRACE__KAFKA__BOOTSTRAP_SERVERS", unused_address)

    result = millrace_import(large_file, "--json")

    assert result.exit_code == 1
    assert unused_address in json.loads(result.stdout)["error"]


@pytest.fixture
def unused_address() -> str:
    with EmbeddedBroker(partitions=1) as gone:
        return gone.bootstrap_servers
