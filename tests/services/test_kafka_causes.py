"""What keeps Millrace from Kafka is said in one line, in time, with the next step, by every command that needs it."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from pydantic import SecretStr

from cli.local_stack import free_port
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from deploy.kafka.broker import LocalKafka
from deploy.kafka.security import Protocol
from index.embedded_milvus import EmbeddedMilvus
from tests.services.shop import quick_settings, wait_until
from topics.admin import BrokerError, TopicAdmin
from topics.publisher import Publisher, PublisherError
from topics.reader import TopicReader
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

CANARY = "canary-7f3a"
IN_TIME_SECONDS = 5.0 + 3.0  # 5 s are promised; the rest is for a machine that runs other tests at the same time
WHOLE_PROCESS_SECONDS = 30.0  # Python and its imports included


def where(broker: LocalKafka, protocol: Protocol, host: str = "127.0.0.1") -> dict[str, Any]:
    """The address of another protocol's listener."""
    return {"bootstrap_servers": broker.settings(protocol).bootstrap_servers.replace("127.0.0.1", host)}


@contextmanager
def in_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < IN_TIME_SECONDS


def complaint(kafka: KafkaSettings) -> str:
    with in_time(), pytest.raises(BrokerError) as error:
        TopicAdmin(kafka).inspect([])
    assert "\n" not in str(error.value)
    return str(error.value)


FAULTS: list[tuple[str, Protocol, Callable[[LocalKafka], dict[str, Any]], str]] = [
    ("wrong password", "SASL_SSL", lambda _: {"sasl_password": SecretStr(CANARY)}, "check kafka.sasl_username and"),
    ("without TLS, too", "SASL_PLAINTEXT", lambda _: {"sasl_password": SecretStr(CANARY)}, "refuses the SASL login"),
    ("unknown user", "SASL_SSL", lambda _: {"sasl_username": "nobody"}, "SASL login of user 'nobody'"),
    (
        "mechanism",
        "SASL_SSL",
        lambda _: {"sasl_mechanism": "SCRAM-SHA-256"},
        r"kafka.sasl_mechanism.*\(SCRAM-SHA-512\)",
    ),
    ("no authority", "SSL", lambda _: {"ca_file": ""}, "this system trusts.*: set kafka.ca_file"),
    (
        "other name",
        "SASL_SSL",
        lambda b: where(b, "SASL_SSL", "127.1"),
        r"is for another name.*kafka.bootstrap_servers",
    ),
    ("plain on TLS", "PLAINTEXT", lambda b: where(b, "SSL"), "speaks TLS: set kafka.security_protocol"),
    ("plain on login and TLS", "PLAINTEXT", lambda b: where(b, "SASL_SSL"), "speaks TLS: set kafka.security_protocol"),
    ("plain on login", "PLAINTEXT", lambda b: where(b, "SASL_PLAINTEXT"), "set SASL_PLAINTEXT with kafka.sasl_user"),
    ("TLS on plain", "SSL", lambda b: where(b, "PLAINTEXT"), "does not speak TLS: .*kafka.security_protocol"),
    ("TLS on login without", "SASL_SSL", lambda b: where(b, "SASL_PLAINTEXT"), "does not speak TLS: .*kafka.secu"),
    ("TLS without login", "SSL", lambda b: where(b, "SASL_SSL"), "set SASL_SSL with kafka.sasl_username"),
    ("login without TLS", "SASL_PLAINTEXT", lambda b: where(b, "SASL_SSL"), "speaks TLS: set kafka.security_prot"),
    ("login on plain", "SASL_PLAINTEXT", lambda b: where(b, "PLAINTEXT"), "asks for no login: .*to PLAINTEXT"),
    ("login on TLS", "SASL_SSL", lambda b: where(b, "SSL"), "asks for no login: .*to SSL"),
]


@pytest.mark.parametrize(
    ("protocol", "fault", "told"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_what_no_waiting_mends_is_told_at_once(
    local_kafka: LocalKafka, protocol: Protocol, fault: Callable[[LocalKafka], dict[str, Any]], told: str
) -> None:
    TopicAdmin(local_kafka.settings(protocol)).inspect([])  # all is well without the fault
    kafka = local_kafka.settings(protocol).model_copy(update=fault(local_kafka))

    said = complaint(kafka)

    assert re.search(told, said), said
    assert CANARY not in said


def test_a_name_that_does_not_resolve_is_told() -> None:
    """How soon is up to the name service; one that says nothing is taken for a broker that says nothing."""
    with pytest.raises(BrokerError, match=r"no\.invalid:9092 does not resolve|nobody answers at no\.invalid:9092"):
        TopicAdmin(KafkaSettings(bootstrap_servers="no.invalid:9092")).inspect([])


def wrong_authority(broker: LocalKafka, folder: Path) -> KafkaSettings:
    stranger = folder / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    return broker.settings("SASL_SSL").model_copy(update={"ca_file": str(stranger)})


def test_an_authority_that_signed_nothing_here_is_told_with_its_file(local_kafka: LocalKafka, tmp_path: Path) -> None:
    said = complaint(wrong_authority(local_kafka, tmp_path))

    assert f"was not signed by the authority in {tmp_path / 'stranger.pem'}" in said
    assert "set kafka.ca_file" in said


@contextmanager
def swallowing_host() -> Iterator[str]:
    """An address whose queue of connections is full: Linux drops what comes after, as a firewall would."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield f"127.0.0.1:{server.getsockname()[1]}"
        for caller in callers:
            caller.close()


def test_an_address_where_nothing_listens_is_told_in_time() -> None:
    said = complaint(KafkaSettings(bootstrap_servers="127.0.0.1:1"))

    assert "nothing listens at 127.0.0.1:1 (connection refused): start the broker" in said


def test_a_host_that_swallows_packets_is_told_in_time() -> None:
    with swallowing_host() as address:
        assert f"nobody answers at {address}: a firewall" in complaint(KafkaSettings(bootstrap_servers=address))


def test_a_missing_topic_is_named_with_the_command_that_makes_it(local_kafka: LocalKafka) -> None:
    with (
        in_time(),
        pytest.raises(BrokerError, match=r"has no topic missing: make what is missing with `millrace topics apply`"),
    ):
        TopicReader(local_kafka.settings("PLAINTEXT"), ["missing"])


def test_a_publisher_tells_a_wrong_password(local_kafka: LocalKafka) -> None:
    publisher = Publisher(wrong_password(local_kafka), "stranger")
    try:
        with pytest.raises(PublisherError, match=r"check kafka\.sasl_username and kafka\.sasl_password") as error:
            publisher.ping(2)
    finally:
        publisher.close(timeout_seconds=0)
    assert CANARY not in str(error.value)


def wrong_password(broker: LocalKafka) -> KafkaSettings:
    return broker.settings("SASL_SSL").model_copy(update={"sasl_password": SecretStr(CANARY)})


@pytest.fixture
def config(tmp_path: Path, local_kafka: LocalKafka) -> Path:
    """Settings with a wrong password. Nothing else that they name is there."""
    return config_of(tmp_path, wrong_password(local_kafka))


def config_of(folder: Path, kafka: KafkaSettings) -> Path:
    return written(folder, quick_settings(folder).model_copy(update={"kafka": kafka}))


def written(folder: Path, settings: Settings) -> Path:
    file = folder / "millrace.toml"
    file.write_text(settings_file(settings))
    return file


def spoken(*arguments: str, folder: Path) -> tuple[int, str]:
    """Exit code and all that the command says."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WHOLE_PROCESS_SECONDS,
        env=os.environ | {"XDG_STATE_HOME": str(folder)},
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "arguments",
    ["worker", "import products.jsonl", "topics list", "topics apply", "dead-letters list", "lag-exporter --once"],
)
def test_every_command_tells_a_wrong_password_and_no_secret(config: Path, tmp_path: Path, arguments: str) -> None:
    (tmp_path / "products.jsonl").write_text('{"id": "p1", "title": "t", "updated_at": 1}\n')
    words = [str(tmp_path / word) if word.endswith(".jsonl") else word for word in arguments.split()]

    code, said = spoken(*words, "--config", str(config), folder=tmp_path)

    assert code == 1
    assert said.count("refuses the SASL login of user 'millrace'") == 1, said
    assert "check kafka.sasl_username and kafka.sasl_password" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert CANARY not in said


def test_doctor_tells_a_wrong_password_and_no_secret(config: Path, tmp_path: Path) -> None:
    code, said = spoken("doctor", "--config", str(config), "--json", folder=tmp_path)

    assert code == 1
    assert "refuses the SASL login of user 'millrace'" in said
    assert CANARY not in said


@pytest.mark.parametrize("command", ["worker", "doctor --json"])
def test_a_wrong_authority_is_told_by_commands(local_kafka: LocalKafka, tmp_path: Path, command: str) -> None:
    config = config_of(tmp_path, wrong_authority(local_kafka, tmp_path))

    code, said = spoken(*command.split(), "--config", str(config), folder=tmp_path)

    assert code == 1
    assert "was not signed by the authority in" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["worker", "doctor --json"])
def test_missing_topics_are_told_by_commands(local_kafka: LocalKafka, tmp_path: Path, command: str) -> None:
    kafka = local_kafka.settings("PLAINTEXT").model_copy(update={"namespace": "nothing-here."})

    code, said = spoken(*command.split(), "--config", str(config_of(tmp_path, kafka)), folder=tmp_path)

    assert code == 1
    assert "nothing-here.catalog.products" in said
    assert "millrace topics apply" in said
    assert "Traceback" not in said


def test_settings_shows_the_defaults_whatever_the_secret_in_the_environment(tmp_path: Path) -> None:
    variables = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "shop", "SASL_PASSWORD": CANARY}
    with pytest.MonkeyPatch.context() as patch:
        for name, text in variables.items():
            patch.setenv(f"MILLRACE__KAFKA__{name}", text)
        code, said = spoken("settings", folder=tmp_path)

    assert code == 0
    assert CANARY not in said


def test_a_server_answers_searches_while_kafka_refuses_its_login(tmp_path: Path, local_kafka: LocalKafka) -> None:
    with EmbeddedMilvus(tmp_path / "milvus") as milvus:
        settings = changed_settings(
            quick_settings(tmp_path).model_copy(update={"kafka": wrong_password(local_kafka)}),
            {"index": {"uri": milvus.uri}, "server": {"port": free_port(), "publish_timeout_seconds": 2}},
        )
        log = tmp_path / "serve.log"
        url = f"http://127.0.0.1:{settings.server.port}"
        command = [sys.executable, "-m", "cli.main", "serve", "--config", str(written(tmp_path, settings))]
        with log.open("wb") as end, subprocess.Popen(command, stdout=end, stderr=end) as server:
            try:
                wait_until(lambda: answers(f"{url}/healthz"))
                search = httpx.get(f"{url}/v1/search", params={"q": "boots"})
                put = httpx.put(f"{url}/v1/products/p1", json={"title": "boots", "updated_at": 1})
                ready = httpx.get(f"{url}/readyz")
            finally:
                server.kill()

    assert search.status_code == 200
    assert put.status_code == ready.status_code == 503
    assert "refuses the SASL login" in put.text
    told = log.read_text()
    assert "refuses the SASL login of user 'millrace'" in told
    assert "Searches are answered" in told
    assert CANARY not in told + put.text + ready.text


def answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.HTTPError:
        return False
