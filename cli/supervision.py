"""What a local stack is made of: processes that are started again when they end by themselves."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cli.settings import VARIABLE_PREFIX
from index.base import IndexUnavailable
from index.embedded_milvus import EmbeddedMilvus

logger = logging.getLogger(__name__)

_STOP_SECONDS = 20.0
_RESTART_PAUSE_SECONDS = 1.0  # for a process that ends again and again; one that had worked is back at once
_WORKED_SECONDS = 10.0


class Process:
    """A `millrace` process in the background; when it ends by itself it is started again, and counted."""

    def __init__(self, command: str, config: Path, log: Path, options: Sequence[str] = ()) -> None:
        called = [sys.executable, "-m", "cli.main", command, "--config", str(config)]
        self._arguments = [*called, "--end-with-stdin", *options]
        self._log = log
        self._stopping = threading.Event()
        self._changing = threading.Lock()  # so that nothing starts behind a request to stop
        self.restarts = 0
        self._process = self._start()
        self._supervisor = threading.Thread(target=self._supervise, name=f"supervise {command}", daemon=True)
        self._supervisor.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> Path:
        return self._log

    def ask_to_stop(self) -> None:
        with self._changing:
            self._stopping.set()
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)

    def wait_until_stopped(self) -> None:
        """After `ask_to_stop`; kills what does not end in time."""
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._supervisor.join()

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._arguments, stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(),
                start_new_session=True,
            )  # fmt: skip

    def _supervise(self) -> None:
        while True:
            started = time.monotonic()
            with self._process:  # closes its pipe and waits
                self._process.wait()
            if time.monotonic() - started < _WORKED_SECONDS:
                self._stopping.wait(_RESTART_PAUSE_SECONDS)
            with self._changing:
                if self._stopping.is_set():
                    return
                try:
                    self._process = self._start()
                    self.restarts += 1
                except OSError as error:
                    logger.error("%s; trying again", error)


class SupervisedMilvus:
    """milvus-lite in `folder`; when it ends by itself, as where the disk is full, it is started again on its port."""

    def __init__(self, folder: Path) -> None:
        """Raises IndexUnavailable."""
        self._folder = folder
        self._stopping = threading.Event()
        self._changing = threading.Lock()  # so that nothing starts behind a request to stop
        self.restarts = 0
        self._milvus = EmbeddedMilvus(folder)
        self.uri = self._milvus.uri
        self._supervisor = threading.Thread(target=self._supervise, name="supervise milvus-lite", daemon=True)
        self._supervisor.start()

    @property
    def pid(self) -> int:
        return self._milvus.pid

    def stop(self) -> None:
        with self._changing:
            self._stopping.set()
            self._milvus.stop()
        self._supervisor.join(_STOP_SECONDS)  # one that is just starting may take longer, and ends all the same

    def kill(self) -> None:
        """SIGKILL, for good."""
        with self._changing:
            self._stopping.set()
            self._milvus.kill()
        self._supervisor.join(_STOP_SECONDS)

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            self._milvus.wait()
            if self._stopping.wait(_RESTART_PAUSE_SECONDS):
                return
            try:
                started = EmbeddedMilvus(self._folder, urlsplit(self.uri).port or 0)
            except (IndexUnavailable, OSError) as error:
                logger.error("%s; trying again", error)
            else:
                self._put(started)

    def _put(self, started: EmbeddedMilvus) -> None:
        with self._changing:
            if self._stopping.is_set():
                started.stop()
                return
            self._milvus = started
            self.restarts += 1


def _environment() -> dict[str, str]:
    """The child reads all settings from the file; variables of this process already went into it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(VARIABLE_PREFIX)}
    return inherited | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])}
