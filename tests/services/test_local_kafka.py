"""The broker from its jars: it answers on every protocol, keeps its data over kills, and ends with its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from deploy.kafka.security import Protocol, create_security
from topics.admin import TopicAdmin
from topics.catalogue import TopicSpec
from topics.publisher import Message, Publisher
from topics.reader import TopicReader
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

_SPEC = TopicSpec("kept", "any", "a test", "compact")


def send(settings: KafkaSettings, value: bytes) -> None:
    publisher = Publisher(settings, "test")
    try:
        publisher.publish_and_wait([Message(_SPEC.name, b"key", value)], 30)
    finally:
        publisher.close()


def values(settings: KafkaSettings) -> list[bytes | None]:
    with TopicReader(settings, [_SPEC.name]) as reader:
        return [record.value for record in reader.read(5)]


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_clients_reach_it_by_every_protocol(local_kafka: LocalKafka, protocol: Protocol) -> None:
    settings = local_kafka.settings(protocol).model_copy(update={"namespace": f"{protocol}."})
    TopicAdmin(settings).apply([TopicSpec(settings.on_broker(_SPEC.name), "any", "a test", "compact")])
    send(settings, b"hello")
    assert values(settings) == [b"hello"]


def test_its_folder_keeps_what_was_acknowledged_over_a_kill_and_serves_one_broker_at_a_time(tmp_path: Path) -> None:
    broker = unstarted(tmp_path)
    broker.start()
    TopicAdmin(broker.settings()).apply([_SPEC])
    send(broker.settings(), b"before the kill")
    broker.kill()
    broker.start()
    assert values(broker.settings()) == [b"before the kill"]
    broker.stop()

    with LocalKafka(tmp_path) as again:
        assert values(again.settings()) == [b"before the kill"]
        with pytest.raises(KafkaUnavailable, match="ERROR"):
            LocalKafka(tmp_path).start()


def test_it_ends_with_the_process_that_started_it(tmp_path: Path, local_kafka: LocalKafka) -> None:
    program = (
        "import sys, time; from pathlib import Path; from deploy.kafka.broker import LocalKafka\n"
        "broker = LocalKafka(Path(sys.argv[1])); broker.start(); print(broker.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        os.kill(owner.pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())


def test_the_keys_of_a_secure_broker_are_its_owners_alone(tmp_path: Path) -> None:
    security = create_security(tmp_path, {"millrace": "secret"})
    assert security.certificate_file.stat().st_mode & 0o077 == 0


def unstarted(folder: Path) -> LocalKafka:
    try:
        return LocalKafka(folder)
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
