"""Every process of Millrace on this machine: a broker, milvus-lite, one worker, one server, one click loop.

For the demo, the real-data run, benchmarks and service tests; production runs the same processes under its own
supervisor.
"""

import shutil
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from cli.process_log import reason_in
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from cli.supervision import Process, SupervisedMilvus
from topics.admin import TopicAdmin
from topics.catalogue import topics_on_broker
from topics.embedded_broker import EmbeddedBroker
from topics.settings import KafkaSettings

CONFIG_NAME = "millrace.toml"
_MARK = ".made-by-millrace"  # no folder without it is ever emptied
_POLL_SECONDS = 0.1


class StackError(Exception):
    """A process did not start; the message names its log."""


class LocalStack:
    """Starts everything that `settings` need on this machine, on free ports, with logs and data below `folder`.

    The broker is the embedded one, unless `kafka` says how to reach another that runs already: missing topics are then
    made there. `settings` on the way out name the real addresses; the same are written to `config`, so that other
    commands can join in.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        server: bool = True,
        kafka: KafkaSettings | None = None,
        worker_options: Sequence[str] = (),
        click_loop: bool = False,
    ) -> None:
        self._folder = folder
        self._kafka = kafka
        self._wanted = settings
        self._with_server = server
        self._with_click_loop = click_loop
        self._worker_options = worker_options
        self._exit = ExitStack()
        self.config = folder / CONFIG_NAME

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def worker(self) -> Process:
        return self._processes[0]

    @property
    def server(self) -> Process:
        return self._processes[1]

    @property
    def click_loop(self) -> Process:
        return self._processes[-1]

    @property
    def url(self) -> str:
        return f"http://{self.settings.server.host}:{self.settings.server.port}"

    @property
    def restarts(self) -> int:
        """How often a process ended by itself and was started again."""
        return self.milvus.restarts + sum(process.restarts for process in self._processes)

    def wait_until_ready(self, timeout_seconds: float, look: Callable[[], None] = lambda: None) -> None:
        """Until the server answers and the others have joined their groups. Raises StackError."""
        deadline = time.monotonic() + timeout_seconds
        waiting = dict(self._questions)
        while waiting:
            for process, (address, expected) in list(waiting.items()):
                if process.restarts:
                    raise StackError(f"a process ended while it started: {reason_in(process.log)} (see {process.log})")
                if _answers(address, expected):
                    del waiting[process]
            if waiting and time.monotonic() > deadline:
                logs = ", ".join(str(process.log) for process in waiting)
                raise StackError(f"not ready after {timeout_seconds:.0f} s: see {logs}")
            look()
            time.sleep(_POLL_SECONDS)

    def _start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        kafka = self._broker()
        self.milvus = SupervisedMilvus(self._folder / "milvus")
        self._exit.callback(self.milvus.stop)
        self.settings = changed_settings(
            self._wanted.model_copy(update={"kafka": kafka}),
            {
                "index": {"uri": self.milvus.uri},
                "server": {"port": self._wanted.server.port or free_port()},
                "worker": {"metrics_port": self._wanted.worker.metrics_port or free_port()},
                "click_loop": {"metrics_port": self._wanted.click_loop.metrics_port or free_port()},
            },
        )
        self.config.touch(mode=0o600)  # secrets from variables stand in it, too
        self.config.write_text(settings_file(self.settings))
        self._processes = [Process("worker", self.config, self._folder / "worker.log", self._worker_options)]
        self._exit.callback(self._stop_processes)
        self._questions = {self.worker: _has_joined(self.settings.worker.metrics_port)}
        if self._with_server:
            self._processes.append(Process("serve", self.config, self._folder / "serve.log"))
            self._questions[self.server] = (f"{self.url}/readyz", "")
        if self._with_click_loop:
            self._processes.append(Process("click-loop", self.config, self._folder / "click-loop.log"))
            self._questions[self.click_loop] = _has_joined(self.settings.click_loop.metrics_port)

    def _broker(self) -> KafkaSettings:
        if self._kafka is not None:
            TopicAdmin(self._kafka).apply(topics_on_broker(self._kafka))
            return self._kafka
        wanted = self._wanted.kafka
        topics = [spec.name for spec in topics_on_broker(wanted)]
        broker = self._exit.enter_context(EmbeddedBroker(wanted.partitions, topics))
        return wanted.model_copy(update={"bootstrap_servers": broker.bootstrap_servers})

    def _stop_processes(self) -> None:
        for process in self._processes:
            process.ask_to_stop()
        for process in self._processes:
            process.wait_until_stopped()


def make_room(folder: Path) -> None:
    """An empty folder, marked as a stack's; it may hold what an earlier one left, nothing else. Raises StackError."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise StackError(f"{folder} holds something that no earlier run left there: choose another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)  # it may be a mount, which cannot be removed
    (folder / _MARK).touch()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def require_free_port(port: int) -> None:
    """Before a training of minutes rather than after it. Raises StackError."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port just left is free
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} cannot be used ({error.strerror}): choose another --port, 0 for any"
            ) from None


def _has_joined(metrics_port: int) -> tuple[str, str]:
    return f"http://127.0.0.1:{metrics_port}/metrics", "millrace_partitions_assigned "


def _answers(address: str, expected: str) -> bool:
    try:
        response = httpx.get(address, timeout=2)
    except httpx.HTTPError:
        return False
    return response.is_success and (not expected or _positive(response.text, expected))


def _positive(metrics: str, name: str) -> bool:
    return any(line.startswith(name) and float(line.split()[-1]) > 0 for line in metrics.splitlines())
