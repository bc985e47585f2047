"""One Kafka broker as a child process: format, start, stop, kill, start again with the same data."""

import base64
import fcntl
import os
import signal
import socket
import string
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.kafka.jars import KafkaUnavailable, class_archive, fetch_jars, java
from deploy.kafka.security import Protocol, Security
from topics.admin import BrokerError, TopicAdmin
from topics.settings import KafkaSettings

_HERE = Path(__file__).parent
_COMPILED_ONCE = "-XX:TieredStopAtLevel=1"  # a broker that lives for minutes starts with a third less CPU time
_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", _COMPILED_ONCE, "-Djava.awt.headless=true")
_HOST = "127.0.0.1"
_POLL_SECONDS = 0.05


class LocalKafka:
    """A broker on 127.0.0.1, on ports that stay the same as long as this object lives; data and log below `folder`.

    It ends with the process that started it, however that ends. With `security` it listens on four ports, one for
    each protocol; without, on PLAINTEXT alone. `java_options` go to the broker's Java beside its own.
    """

    def __init__(self, folder: Path, security: Security | None = None, java_options: Sequence[str] = ()) -> None:
        """Formats an empty folder; an old one keeps its data. Raises KafkaUnavailable."""
        self._folder = folder.resolve()
        self._security = security
        self._java_options = java_options
        self._jars = fetch_jars()
        protocols: tuple[Protocol, ...] = ("PLAINTEXT",)
        if security is not None:
            protocols = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
        self._controller_port, *ports = _free_ports(1 + len(protocols))
        self._ports = dict(zip(protocols, ports, strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._data / "meta.properties").exists():
            self._format()

    @property
    def bootstrap_servers(self) -> str:
        return f"{_HOST}:{self._ports['PLAINTEXT']}"

    @property
    def log(self) -> Path:
        return self._folder / "broker.log"

    @property
    def pid(self) -> int:
        """Of the running broker."""
        return self._running().pid

    def settings(self, protocol: Protocol = "PLAINTEXT") -> KafkaSettings:
        """How a client reaches this broker, as its first user where the protocol asks for one."""
        given = self._security.client_settings(protocol) if self._security is not None else {}
        return KafkaSettings(
            bootstrap_servers=f"{_HOST}:{self._ports[protocol]}", security_protocol=protocol, partitions=4, **given
        )

    def start(self, timeout_seconds: float = 90.0) -> None:
        """Returns when it answers. Raises KafkaUnavailable with the last error of its log."""
        with self.log.open("ab") as log, self._locked() as lock:
            self._properties.write_text(self._server_properties())
            self._process = subprocess.Popen(  # noqa: S603 - the command is our own
                self._command("kafka.Kafka", str(self._properties)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock],
            )
        self._guard = _end_with_us(self._process.pid)
        try:
            self._wait_for_answer(timeout_seconds)
        except BaseException:
            self.kill()
            raise

    def stop(self, timeout_seconds: float = 30.0) -> None:
        """SIGTERM; SIGKILL when that takes too long. Nothing acknowledged is lost either way. A repeat does nothing."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        self._running().kill()
        self._forget()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """A descriptor whose lock lasts as long as the child that inherits it. Kafka's own lock comes too late: its
        controller has written to the folder of the other by then.
        """
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
        except BlockingIOError:
            raise KafkaUnavailable(f"a broker runs in {self._folder}: stop it, or take another folder") from None
        finally:
            os.close(lock)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise KafkaUnavailable("this broker is not running")
        return self._process

    def _forget(self) -> None:
        self._running().wait()
        self._process = None
        self._guard.kill()  # before it could hit another process with the same number
        with self._guard:
            pass

    def _wait_for_answer(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not self._answers():
            if self._running().poll() is not None or time.monotonic() > deadline:
                raise KafkaUnavailable(f"Kafka did not start; {self.log} says: {_last_error(self.log)}")
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((_HOST, self._ports["PLAINTEXT"]), 0.2):
                pass
            TopicAdmin(self.settings(), timeout_seconds=2).inspect([])
        except (OSError, BrokerError):
            return False
        return True

    def _server_properties(self) -> str:
        text = string.Template((_HERE / "server.properties").read_text()).substitute(
            controller_port=self._controller_port, data=self._data
        )
        listeners = [f"{protocol}://{_HOST}:{port}" for protocol, port in self._ports.items()]
        properties = {"listeners": ",".join([*listeners, f"CONTROLLER://{_HOST}:{self._controller_port}"])}
        if self._security is not None:
            properties |= self._security.properties()
        return text + "".join(f"{name}={value}\n" for name, value in properties.items())

    def _format(self) -> None:
        self._properties.write_text(self._server_properties())
        users = self._security.format_arguments() if self._security is not None else []
        arguments = ["format", "--cluster-id", _cluster_id(), "--config", str(self._properties), *users]
        done = subprocess.run(  # noqa: S603 - the command is our own
            self._command("kafka.tools.StorageTool", *arguments), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise KafkaUnavailable(f"Kafka could not format {self._data}: {done.stdout}{done.stderr}")

    def _command(self, main_class: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}"
        archive = class_archive(self._jars)
        archived = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
        options = [*_JVM, *archived, *self._java_options, logging]
        return [java(), *options, "-cp", f"{self._jars}/*", main_class, *arguments]


def _cluster_id() -> str:
    """One of its own for each data folder, in Kafka's alphabet; a dash in front would be read as an option."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")


def _end_with_us(pid: int) -> "subprocess.Popen[bytes]":
    """A process that kills `pid` once our end of its standard input is closed, which happens however we end."""
    return subprocess.Popen(  # noqa: S603 - the command is our own
        ["/bin/sh", "-c", 'read _; kill -9 "$0"', str(pid)], stdin=subprocess.PIPE, start_new_session=True
    )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((_HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _last_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if " ERROR " in line or " FATAL " in line]
    return (errors or lines or ["nothing"])[-1]
