"""States in Redis or Valkey: for several machines."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from feedback.store import Change, Kept, StoreUnavailable

_RETRIES = 2
_MOST_TRIES = 200
_LONGEST_PAUSE_SECONDS = 0.05
_SCAN_COUNT = 1_000
_RECEIPT_SECONDS = 60


class RedisStore:
    """A ProfileStore on a server, which forgets by itself what has expired.

    A writer that finds its keys changed meanwhile reads them again and does its change anew (WATCH, MULTI, EXEC). Each
    update leaves a receipt for a minute: when the answer to EXEC is lost, it says whether the update was done. Raises
    StoreUnavailable; an update that raises it because the server went away in its midst may have been done.
    """

    def __init__(
        self, url: str, key_prefix: str, timeout_seconds: float, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises StoreUnavailable where no server answers."""
        self._prefix = key_prefix
        self._pause = pause
        try:
            self._redis: Any = Redis.from_url(
                url,
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
                retry=Retry(ExponentialBackoff(cap=0.1, base=0.01), _RETRIES),
                retry_on_error=[RedisConnectionError, RedisTimeoutError],
            )
        except ValueError as error:
            raise StoreUnavailable(f"the url of the profile store is none of Redis: {error}") from None
        connection = self._redis.connection_pool.connection_kwargs
        self._where = connection.get("path") or f"{connection.get('host')}:{connection.get('port', 6379)}"
        with self._speaking():
            self._redis.ping()

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        with self._speaking():
            return list(self._redis.mget([self._prefix + key for key in keys]))

    def update(self, keys: Sequence[str], change: Change) -> None:
        receipt = f"{self._prefix}receipt:{uuid4().hex}"
        with self._speaking():
            for tries in range(_MOST_TRIES):
                if self._try_update(keys, change, receipt):
                    return
                self._pause(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.001 * 2**tries)))  # noqa: S311
        raise StoreUnavailable(f"Redis at {self._where}: other writers came between {_MOST_TRIES} times in a row")

    def keys(self, kind: str) -> Iterator[str]:
        escaped = "".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in self._prefix + kind)
        for pattern in (escaped, f"{escaped}:*"):
            with self._speaking():
                for key in self._redis.scan_iter(pattern, _SCAN_COUNT):
                    yield key.decode().removeprefix(self._prefix)

    def purge(self, now: float) -> Mapping[str, int]:
        """Nothing: the server forgets by itself."""
        return {}

    def close(self) -> None:
        self._redis.close()

    def _try_update(self, keys: Sequence[str], change: Change, receipt: str) -> bool:
        """False where another writer came between, or the connection broke."""
        names = [receipt, *(self._prefix + key for key in keys)]
        with self._redis.pipeline(transaction=True) as pipeline:
            try:
                pipeline.watch(*names)
                done, *held = pipeline.mget(names)
                if done is not None:
                    return True
                changed = change({key: value for key, value in zip(keys, held, strict=True) if value is not None})
                pipeline.multi()
                pipeline.set(receipt, b"", ex=_RECEIPT_SECONDS)
                for key, kept in changed.items():
                    _put(pipeline, self._prefix + key, kept)
                pipeline.execute()
            except WatchError:
                return False
        return True

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            raise StoreUnavailable(f"Redis at {self._where} cannot be used: {error}") from error


def _put(pipeline: Any, name: str, kept: Kept | None) -> None:
    if kept is None:
        pipeline.delete(name)
    else:
        pipeline.set(name, kept.value, pxat=max(1, int(kept.expires_at * 1_000)))
