"""The broker from its jars: it answers on every protocol, keeps its data over kills, and ends with its owner."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import psutil
import pytest

from cli.settings import load_settings
from deploy.kafka.broker import LocalKafka
from deploy.kafka.class_archive import archive_classes
from deploy.kafka.jars import KafkaUnavailable, fetch_jars
from deploy.kafka.security import Protocol, create_security
from tests.processes import runs
from tests.services.shop import wait_until
from topics.admin import TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS, TopicSpec
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
    """Once there are any."""
    found: list[bytes | None] = []

    def look() -> bool:
        found.extend(record.value for record in reader.read(0.2))
        return bool(found)

    with TopicReader(settings, [_SPEC.name]) as reader:
        wait_until(look)
    return found


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_clients_reach_it_by_every_protocol(local_kafka: LocalKafka, protocol: Protocol) -> None:
    settings = local_kafka.settings(protocol).model_copy(update={"namespace": f"{protocol}."})
    TopicAdmin(settings).apply([TopicSpec(settings.on_broker(_SPEC.name), "any", "a test", "compact")])
    send(settings, b"hello")
    assert values(settings) == [b"hello"]


def test_its_folder_keeps_what_was_acknowledged_over_a_kill_and_serves_one_broker_at_a_time(
    tmp_path: Path, local_kafka: LocalKafka
) -> None:
    broker = LocalKafka(tmp_path)
    broker.start()
    cluster = TopicAdmin(broker.settings()).cluster_id()
    assert cluster != TopicAdmin(local_kafka.settings()).cluster_id()
    TopicAdmin(broker.settings()).apply([_SPEC])
    send(broker.settings(), b"before the kill")
    broker.kill()
    broker.start()
    assert values(broker.settings()) == [b"before the kill"]
    broker.stop()

    with LocalKafka(tmp_path) as again:
        assert TopicAdmin(again.settings()).cluster_id() == cluster
        assert values(again.settings()) == [b"before the kill"]
        with pytest.raises(KafkaUnavailable, match="a broker runs in"):
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
    wait_until(lambda: not runs(pid))


def test_the_keys_of_a_secure_broker_are_its_owners_alone(tmp_path: Path) -> None:
    security = create_security(tmp_path, {"millrace": "secret"})
    assert security.certificate_file.stat().st_mode & 0o077 == 0


def test_the_command_prints_how_to_reach_it_and_ends_at_ctrl_c(
    tmp_path: Path, local_kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "with a space"
    left = folder / "secure" / "left by an earlier run"
    left.mkdir(parents=True)
    command = [sys.executable, "-m", "deploy.kafka", "--secure", "--wipe", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for name, value in printed_variables(process.stdout).items():
                monkeypatch.setenv(name, value)
            kafka = load_settings().kafka
            assert kafka.security_protocol == "SASL_SSL"
            publisher = Publisher(kafka, "test")
            publisher.publish_and_wait([Message(CATALOG_PRODUCTS, b"key", b"value")], 30)
            assert publisher.close() == 0
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert not left.exists()


def test_ctrl_c_while_the_command_starts_leaves_nothing_behind(tmp_path: Path, local_kafka: LocalKafka) -> None:
    log = tmp_path / "plain" / "broker.log"
    command = [sys.executable, "-m", "deploy.kafka", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: log.exists() and log.stat().st_size > 0)
            process.send_signal(signal.SIGINT)
            said, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, said) == (1, "")
    assert error == "ended before it was ready\n"
    assert not any(
        str(tmp_path) in " ".join(running.info["cmdline"] or ()) for running in psutil.process_iter(["cmdline"])
    )


def test_most_classes_come_out_of_the_archive(tmp_path: Path) -> None:
    archive_classes()
    loaded = tmp_path / "classes.log"
    with LocalKafka(tmp_path / "broker", java_options=[f"-Xlog:class+load:file={loaded}"]):
        pass

    origins = [line.rpartition("source: ")[2] for line in loaded.read_text().splitlines()]
    assert origins.count("shared objects file (top)") > 0.5 * len(origins)


def test_maven_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\nexec sleep 60")
    maven.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("deploy.kafka.jars._FETCH_SECONDS", 0.1)

    with pytest.raises(KafkaUnavailable, match="try again"):
        fetch_jars()


def printed_variables(stdout: IO[str]) -> dict[str, str]:
    variables = {}
    for line in stdout:
        match shlex.split(line, comments=False) if line.startswith("  export ") else line.split():
            case ["export", assignment]:
                name, _, value = assignment.partition("=")
                variables[name] = value
            case ["Ctrl-C", *_]:
                return variables
    pytest.fail(f"it ended by itself, after {variables}")
