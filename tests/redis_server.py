"""A real redis-server for tests."""

import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as NotThereYet
from redis.retry import Retry

_TRIES, _PAUSE_SECONDS = 500, 0.02


class RedisServer:
    """On a socket below `folder`, in memory. It ends with the process that started it, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Skips the test where no redis-server is installed."""
        if shutil.which("redis-server") is None:
            pytest.skip("no redis-server here: `make services` installs it")
        self._folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--logfile", "redis.log"]
        ends_with_us = 'redis-server "$@" & read _; kill -9 $!; wait'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", ends_with_us, "sh", *options], cwd=self._folder, stdin=subprocess.PIPE
        )
        retry = Retry(ConstantBackoff(_PAUSE_SECONDS), _TRIES, supported_errors=(NotThereYet,))
        with Redis.from_url(self.url, retry=retry) as client:
            client.ping()

    def kill(self) -> None:
        """SIGKILL: what it held is gone."""
        if self._process is not None:
            self._process.communicate()
            (self._folder / "redis.sock").unlink(missing_ok=True)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
