"""`millrace import` on a real Kafka, killed or stopped in the middle and gone on with: whole, and exactly counted."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from monitoring.lag import GroupLag
from tests.services.shop import PATIENCE, wait_until
from topics.admin import TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, topics_on_broker
from topics.clients import client_config
from topics.import_journal import head_sha256
from topics.reader import TopicReader
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

LINES = 6_000
RATE = 1_500
BAD = {100: "{", 900: '{"id": "x"}', 2_500: '{"id": "y", "title": ""}'}


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "products.jsonl"
    with path.open("w") as file:
        for number in range(1, LINES + 1):
            file.write(BAD.get(number) or json.dumps({"id": f"p{number}", "title": "Dress"}))
            file.write("\n")
    return path


def address(kafka: KafkaSettings) -> dict[str, str]:
    """Of a broker that asks for no password."""
    return {"bootstrap_servers": kafka.bootstrap_servers, "namespace": kafka.namespace}


@pytest.fixture
def config(tmp_path: Path, kafka: KafkaSettings) -> Path:
    path = tmp_path / "millrace.toml"
    path.write_text(settings_file(changed_settings(Settings(), {"kafka": address(kafka)})))
    return path


class Importing:
    """`millrace import` as a process of its own."""

    def __init__(self, catalogue: Path, config: Path, *options: object) -> None:
        self._command = [sys.executable, "-m", "cli.main", "import", catalogue, "--config", config]
        self._command += ["--journal", catalogue.with_name("journal.json"), "--json", *options]
        self.process = subprocess.Popen(
            [str(part) for part in self._command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.default_int_handler
            ),  # also where tests run as a job
        )

    def end(self) -> tuple[dict[str, Any], str]:
        """The facts, if it told any, and the last line for people."""
        out, notes = self.process.communicate(timeout=PATIENCE)
        return json.loads(out.splitlines()[-1]) if out.strip() else {}, notes.strip().splitlines()[-1]


def on_topic(kafka: KafkaSettings) -> list[dict[str, Any]]:
    """All product events up to the end, however slow the machine is."""
    with GroupLag(client_config(kafka), "nobody", kafka.on_broker(CATALOG_PRODUCTS)) as place:
        expected = sum(partition.latest for partition in place.read().values())
    found: list[dict[str, Any]] = []
    with TopicReader(kafka, [CATALOG_PRODUCTS]) as reader:

        def all_read() -> bool:
            found.extend(json.loads(record.value or b"") for record in reader.read(0.2))
            return len(found) >= expected

        wait_until(all_read)
    return found


def records(kafka: KafkaSettings) -> Counter[str]:
    """How often each product is on the topic."""
    return Counter(event["id"] for event in on_topic(kafka))


def wait_until_under_way(catalogue: Path) -> None:
    wait_until(lambda: noted(catalogue).get("line", 0) > LINES // 4)


def noted(catalogue: Path) -> dict[str, Any]:
    journal = catalogue.with_name("journal.json")
    return dict(json.loads(journal.read_text())) if journal.exists() else {}


def assert_whole(facts: dict[str, Any], kafka: KafkaSettings) -> None:
    good = {f"p{number}" for number in range(1, LINES + 1) if number not in BAD}
    assert (facts["read"], facts["sent"], facts["acknowledged"]) == (LINES, len(good), len(good))
    assert (facts["refused"], facts["not_acknowledged"]) == (len(BAD), 0)
    assert facts["refused_by_reason"] == {"not JSON": 1, "title": 2}
    assert [bad["line"] for bad in facts["refused_lines"]] == list(BAD)
    assert (facts["on_topic"], facts["not_on_topic"]) == (len(good), 0)
    events = {(event["id"], event["updated_at"]) for event in on_topic(kafka)}
    assert {name for name, _ in events} == good
    assert len(events) == len(good)  # a repeat is the same version


def test_a_killed_import_goes_on_and_counts_exactly(catalogue: Path, config: Path, kafka: KafkaSettings) -> None:
    first = Importing(catalogue, config, "--rate", RATE)
    wait_until_under_way(catalogue)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.communicate(timeout=PATIENCE)
    began = records(kafka).total()
    left = noted(catalogue)
    assert left["line"] <= began + len(BAD) < LINES

    started = time.monotonic()
    facts, _ = Importing(catalogue, config, "--rate", RATE, "--resume", "--verify").end()

    assert_whole(facts, kafka)
    assert facts["runs"] == 2
    repeats = records(kafka).total() - facts["acknowledged"]
    assert 0 <= repeats <= facts["sent_again"] <= left["reserved_line"] - left["line"]
    assert time.monotonic() - started > (LINES - left["line"]) / RATE - 0.1  # the rate holds after a resume, too


def test_ctrl_c_says_how_to_go_on_and_then_nothing_is_sent_twice_in_vain(
    catalogue: Path, config: Path, kafka: KafkaSettings
) -> None:
    first = Importing(catalogue, config, "--rate", RATE)
    wait_until_under_way(catalogue)
    first.process.send_signal(signal.SIGINT)
    facts, last_line = first.end()

    assert first.process.returncode == 128 + signal.SIGINT
    assert facts["acknowledged"] == facts["sent"] == records(kafka).total()
    assert facts["read"] == facts["acknowledged"] + facts["refused"] < LINES
    said = shlex.split(last_line.partition("Go on with: ")[2])
    assert said[:3] == ["millrace", "import", str(catalogue)]
    options = [option for option in said[3:] if not option.startswith(("--config", "--journal", "--rate"))]
    assert options == ["--resume"]

    facts, _ = Importing(catalogue, config, "--resume", "--verify").end()
    assert_whole(facts, kafka)
    assert facts["sent_again"] == 0
    assert set(records(kafka).values()) == {1}

    again, _ = Importing(catalogue, config, "--resume", "--verify").end()
    assert_whole(again, kafka)
    assert records(kafka).total() == facts["sent"]


def test_an_import_whose_broker_went_away_says_so_and_goes_on(catalogue: Path, tmp_path: Path) -> None:
    try:
        broker = LocalKafka(tmp_path / "broker")
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        kafka = broker.settings()
        TopicAdmin(kafka).apply(topics_on_broker(kafka))
        config = tmp_path / "millrace.toml"
        config.write_text(settings_file(changed_settings(Settings(), {"kafka": address(kafka)})))
        first = Importing(catalogue, config, "--rate", RATE)
        wait_until_under_way(catalogue)
        broker.kill()
        facts, last_line = first.end()

        assert first.process.returncode == 1
        assert "--resume" in last_line
        assert facts["not_acknowledged"] > 0
        assert facts["read"] == facts["acknowledged"] + facts["not_acknowledged"] + facts["refused"]

        broker.start()
        facts, _ = Importing(catalogue, config, "--resume", "--verify").end()
        assert_whole(facts, kafka)


def test_the_second_ctrl_c_ends_at_once_though_the_broker_is_away(catalogue: Path, tmp_path: Path) -> None:
    try:
        broker = LocalKafka(tmp_path / "broker")
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        kafka = broker.settings()
        TopicAdmin(kafka).apply(topics_on_broker(kafka))
        config = tmp_path / "millrace.toml"
        config.write_text(settings_file(changed_settings(Settings(), {"kafka": address(kafka)})))
        importing = Importing(catalogue, config, "--rate", RATE)
        wait_until_under_way(catalogue)
        broker.kill()
        importing.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            importing.process.wait(3)  # it waits for answers
        importing.process.send_signal(signal.SIGINT)
        importing.process.wait(3)

    importing.process.communicate(timeout=PATIENCE)
    assert not noted(catalogue)["finished"]


def test_a_product_that_the_broker_refuses_is_named_and_those_in_its_request_arrive(
    catalogue: Path, config: Path, kafka: KafkaSettings
) -> None:
    topic = ConfigResource(ConfigResource.Type.TOPIC, kafka.on_broker(CATALOG_PRODUCTS))
    limit = ConfigEntry("max.message.bytes", "5000", incremental_operation=AlterConfigOpType.SET)
    topic.add_incremental_config(limit)
    admin = AdminClient(client_config(kafka))
    [done] = admin.incremental_alter_configs([topic]).values()
    done.result()
    lines = [{"id": f"p{number}", "title": "Dress"} for number in range(1, 101)]
    lines[49]["description"] = "x" * 6_000
    catalogue.write_text("".join(json.dumps(line) + "\n" for line in lines))

    facts, _ = Importing(catalogue, config, "--verify").end()

    assert (facts["read"], facts["sent"], facts["acknowledged"], facts["not_acknowledged"]) == (100, 99, 99, 0)
    assert facts["refused_lines"] == [{"line": 50, "reason": "refused by the broker: Broker: Message size too large"}]
    assert (facts["on_topic"], facts["not_on_topic"]) == (99, 0)
    assert noted(catalogue)["finished"]


def test_products_that_are_not_on_the_topic_are_missed(catalogue: Path, config: Path, kafka: KafkaSettings) -> None:
    """The journal believes that all is done, and only a look at the topic tells."""
    catalogue.write_text('{"id": "a", "title": "Dress"}\n')
    Importing(catalogue, config).end()
    kept = noted(catalogue)
    with catalogue.open("a") as file:
        file.write('{"id": "b", "title": "Hat"}\n')
    status = catalogue.stat()
    kept["identity"] |= {"size_bytes": status.st_size, "modified_ns": status.st_mtime_ns}
    kept["identity"]["head_sha256"] = head_sha256(catalogue)
    catalogue.with_name("journal.json").write_text(json.dumps(kept | {"line": 2, "acknowledged": 2}))

    facts, last_line = Importing(catalogue, config, "--resume", "--verify").end()

    assert (facts["acknowledged"], facts["on_topic"], facts["products_not_on_topic"]) == (2, 1, ["b"])
    assert "not on the topic (b)" in last_line


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--mapping", "litemall_zh"], "the mapping is another one"),
        (["--limit", "7"], "--limit was 0"),
        (["--updated-at", "2020-01-01T00:00:00Z"], "--updated-at was"),
    ],
)
def test_what_differs_is_refused(
    catalogue: Path, config: Path, kafka: KafkaSettings, options: list[str], complaint: str
) -> None:
    catalogue.write_text('{"id": "a", "title": "Dress"}\n')
    Importing(catalogue, config).end()

    facts, _ = Importing(catalogue, config, "--resume", *options).end()

    assert complaint in facts["error"]
    assert records(kafka) == {"a": 1}
