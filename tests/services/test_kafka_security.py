"""The way through Kafka with a login and with TLS: every process takes it, and none of them tells a secret."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from cli.freshness import IndexingFollower
from cli.local_stack import LocalStack
from cli.wiring import open_publisher
from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from deploy.kafka.security import Protocol, create_security
from tests.processes import running_children
from tests.services.shop import PATIENCE, Shop, quick_settings, wait_until
from topics.admin import BrokerError, TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, CLICK_LOOP_TOPICS, TOPICS
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services


def reached_by(broker: LocalKafka, protocol: Protocol, name: str) -> KafkaSettings:
    return broker.settings(protocol).model_copy(update={"namespace": f"{name}-{protocol}."})


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT"])
def test_a_worker_indexes_over_each_protocol(tmp_path: Path, local_kafka: LocalKafka, protocol: Protocol) -> None:
    with LocalStack(
        tmp_path, quick_settings(tmp_path), server=False, kafka=reached_by(local_kafka, protocol, "worker")
    ) as stack:
        send_and_find(stack)


def test_a_worker_indexes_with_a_client_certificate_and_nobody_reads_without(tmp_path: Path) -> None:
    try:
        broker = LocalKafka(tmp_path / "kafka", create_security(tmp_path, {"millrace": "secret"}, True))
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        kafka = broker.settings("SSL")
        with LocalStack(tmp_path, quick_settings(tmp_path), server=False, kafka=kafka) as stack:
            send_and_find(stack)
        without = kafka.model_copy(update={"certificate_file": "", "key_file": ""})
        with pytest.raises(BrokerError, match=r"asks for a client certificate: set kafka\.certificate_file"):
            TopicAdmin(without).inspect([])


def send_and_find(stack: LocalStack) -> None:
    with open_publisher(stack.settings, "shop") as publisher:
        shop = Shop(stack.settings, publisher)
        shop.send("p1", 1)
        shop.settle()
        shop.assert_newest_is_searchable()
    assert stack.restarts == 0


@pytest.fixture(scope="module")
def secure_stack(tmp_path_factory: pytest.TempPathFactory, local_kafka: LocalKafka) -> Iterator[LocalStack]:
    """Worker, server and click loop that log in over TLS."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "pictures").mkdir()
    kafka = reached_by(local_kafka, "SASL_SSL", "tour")
    with LocalStack(folder, quick_settings(folder), kafka=kafka, click_loop=True) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


def command(stack: LocalStack, *arguments: str) -> dict[str, Any]:
    """What the command answers to a program, after no complaint and without a secret."""
    environment = os.environ | {"XDG_STATE_HOME": str(stack.config.parent / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments, "--config", str(stack.config), "--json"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert secret(stack) not in done.stdout + done.stderr
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


def secret(stack: LocalStack) -> str:
    return stack.settings.kafka.sasl_password.get_secret_value()


def test_every_command_logs_in_over_tls(secure_stack: LocalStack, tmp_path: Path) -> None:
    catalogue = tmp_path / "products.jsonl"
    catalogue.write_text(json.dumps({"id": "imported", "title": "red boots", "updated_at": 5}) + "\n")
    with IndexingFollower(secure_stack.settings.kafka) as follower:
        put = httpx.put(f"{secure_stack.url}/v1/products/put", json={"title": "green boots", "updated_at": 5})
        assert put.is_success, put.text
        assert command(secure_stack, "import", str(catalogue))["acknowledged"] == 1
        wait_until(lambda: follower.outcomes.get("indexed", 0) == 2)

    found = httpx.get(f"{secure_stack.url}/v1/search", params={"q": "boots"}).json()
    assert {result["product"]["id"] for result in found["results"]} == {"put", "imported"}
    assert {topic["state"] for topic in command(secure_stack, "topics", "apply")["topics"]} == {"present"}
    assert len(command(secure_stack, "topics", "list")["topics"]) == len(TOPICS)
    assert command(secure_stack, "dead-letters", "list")["letters"] == []
    group = secure_stack.settings.kafka.on_broker("")

    def lags() -> set[tuple[str, int]]:
        return {
            (lag["topic"].removeprefix(group), lag["events"])
            for lag in command(secure_stack, "lag-exporter", "--once", "--group", group)["lags"]
        }

    wait_until(lambda: lags() == {(topic, 0) for topic in (CATALOG_PRODUCTS, *CLICK_LOOP_TOPICS)})
    assert all(check["ok"] for check in command(secure_stack, "doctor")["checks"])


def test_a_worker_listens_on_its_metrics_port_alone(secure_stack: LocalStack) -> None:
    """Faust would serve its tables to everybody on port 6066."""
    sockets = psutil.Process(secure_stack.worker.pid).net_connections("tcp")
    listening = {socket.laddr.port for socket in sockets if socket.status == psutil.CONN_LISTEN}

    assert listening == {secure_stack.settings.worker.metrics_port}


def test_secrets_stay_in_the_file_that_its_owner_alone_reads(secure_stack: LocalStack) -> None:
    folder = secure_stack.config.parent
    known = secret(secure_stack).encode()
    told = [file.name for file in folder.glob("*.*") if file.is_file() and known in file.read_bytes()]

    assert told == [secure_stack.config.name]
    assert secure_stack.config.stat().st_mode & 0o077 == 0
    assert (folder / "worker.log").stat().st_size > 0
    started = running_children(os.getpid())
    assert secure_stack.worker.pid in started
    assert not [command for command in started.values() if secret(secure_stack) in command]
    metrics = f"http://127.0.0.1:{secure_stack.settings.worker.metrics_port}/metrics"
    for address in (metrics, f"{secure_stack.url}/metrics", f"{secure_stack.url}/readyz"):
        assert known not in httpx.get(address).content
