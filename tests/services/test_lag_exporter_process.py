"""`millrace lag-exporter` as a process on a broker of its own, which is killed and started under it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from tests.services.shop import wait_until
from topics.admin import TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP, topics_on_broker
from topics.clients import client_config
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

OURS = {"consumergroup": INDEX_PRODUCTS_GROUP, "topic": CATALOG_PRODUCTS}


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    try:
        broker = LocalKafka(tmp_path / "broker")
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        TopicAdmin(broker.settings()).apply(topics_on_broker(broker.settings()))
        yield broker


def config_of(folder: Path, kafka: KafkaSettings) -> Path:
    settings = changed_settings(Settings(kafka=kafka), {"lag_exporter": {"port": 0, "interval_seconds": 1}})
    file = folder / "millrace.toml"
    file.write_text(settings_file(settings))
    return file


class Exporter:
    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def samples(self, name: str, **labels: str) -> dict[str, float]:
        """Values by partition or reason, or by nothing for what has neither."""
        assert self.process.poll() is None, self.log.read_text()
        address = re.search(r"http://\S+", self.log.read_text())
        if address is None:
            return {}
        families = text_string_to_metric_families(httpx.get(address[0], timeout=10).text)
        return {
            sample.labels.get("partition", sample.labels.get("reason", "")): sample.value
            for family in families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        }


@contextmanager
def exporter(config: Path) -> Iterator[Exporter]:
    log = config.with_name("exporter.log")
    command = [sys.executable, "-m", "cli.main", "lag-exporter", "--config", str(config)]
    with log.open("wb") as end, subprocess.Popen(command, stdout=end, stderr=end) as process:
        try:
            yield Exporter(process, log)
        finally:
            process.kill()


def produce_and_commit(kafka: KafkaSettings, count: int, committed: int) -> None:
    topic, group = kafka.on_broker(CATALOG_PRODUCTS), kafka.on_broker(INDEX_PRODUCTS_GROUP)
    producer = Producer(client_config(kafka))
    for _ in range(count):
        producer.produce(topic, b"x", key=b"x", partition=1)
    assert producer.flush(30) == 0
    consumer = Consumer({**client_config(kafka), "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic, 1, committed)], asynchronous=False)
    consumer.close()


@pytest.mark.timeout(600)
def test_it_outlives_its_broker_and_never_shows_an_old_lag(own_kafka: LocalKafka, tmp_path: Path) -> None:
    produce_and_commit(own_kafka.settings(), 7, 3)
    with exporter(config_of(tmp_path, own_kafka.settings())) as exporting:
        wait_until(lambda: exporting.samples("kafka_consumergroup_lag", **OURS).get("1") == 4)
        first_success = exporting.samples("millrace_lag_exporter_last_success_timestamp_seconds")[""]
        assert exporting.samples("kafka_consumergroup_lag_seconds", **OURS)["1"] > 0
        for end in (own_kafka.kill, own_kafka.stop):
            end()
            wait_until(lambda: not exporting.samples("kafka_consumergroup_lag"))
            assert not exporting.samples("kafka_brokers")
            own_kafka.start()
            wait_until(lambda: exporting.samples("kafka_consumergroup_lag", **OURS).get("1") == 4)
        assert sum(exporting.samples("millrace_lag_exporter_errors_total", operation="cluster").values()) >= 2
        assert exporting.samples("millrace_lag_exporter_last_success_timestamp_seconds")[""] > first_success
        assert exporting.log.read_text().count("No lag is shown") == 2
        os.kill(exporting.process.pid, signal.SIGTERM)
        assert exporting.process.wait(30) == 0


def test_a_look_prints_the_lag_of_every_group_asked_for(kafka: KafkaSettings, tmp_path: Path) -> None:
    produce_and_commit(kafka, 7, 3)
    config = config_of(tmp_path, kafka)
    command = [sys.executable, "-m", "cli.main", "lag-exporter", "--once", "--config", str(config)]
    command += ["--group", re.escape(kafka.on_broker(INDEX_PRODUCTS_GROUP))]

    told = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout
    wide = os.environ | {"COLUMNS": "200"}
    seen = subprocess.run(command, capture_output=True, text=True, check=True, env=wide).stdout

    [row] = json.loads(told)["lags"]
    assert row.pop("oldest_age_seconds") > 0
    assert row == {
        "group": kafka.on_broker(INDEX_PRODUCTS_GROUP),
        "topic": kafka.on_broker(CATALOG_PRODUCTS),
        "members": 0,
        "events": 4,
        "lag": 4,
        "partitions_without_commit": 3,
    }
    assert re.search(rf"{INDEX_PRODUCTS_GROUP}.*{CATALOG_PRODUCTS}.* 4 ", seen)


def test_a_broker_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "millrace.toml"
    file.write_text('[kafka]\nbootstrap_servers = "127.0.0.1:1"\n')
    command = [sys.executable, "-m", "cli.main", "lag-exporter", "--once", "--config", str(file)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
