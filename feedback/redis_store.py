"""States in Redis or Valkey: for several machines."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha1
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from feedback.store import Change, Kept, StoreUnavailable

_RETRIES = 2
_MOST_TRIES = 200
_LONGEST_PAUSE_SECONDS = 0.05
_SCAN_COUNT = 1_000
_RECEIPT_SECONDS = 60

# WATCH takes a time that grows with the square of the keys: 4 s for 10,000. KEYS: the receipt, those read, those
# written. ARGV: how many were read and their digests, empty where there was none; value and expiry of each written,
# empty where it goes.
_EXCHANGE = f"""
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local read = tonumber(ARGV[1])
for i = 1, read do
  local value = redis.call('GET', KEYS[1 + i])
  if (value and redis.sha1hex(value) or '') ~= ARGV[1 + i] then return 0 end
end
for i = 1, #KEYS - 1 - read do
  local key, value, expires_at = KEYS[1 + read + i], ARGV[read + 2 * i], ARGV[read + 2 * i + 1]
  if expires_at == '' then redis.call('DEL', key) else redis.call('SET', key, value, 'PXAT', expires_at) end
end
redis.call('SET', KEYS[1], '', 'EX', {_RECEIPT_SECONDS})
return 1
"""


class RedisStore:
    """A ProfileStore on a server, which forgets by itself what has expired.

    A writer that finds its keys changed meanwhile reads them again and does its change anew. Each update leaves a
    receipt for a minute: asked again because the answer was lost, the server does not do it twice. Raises
    StoreUnavailable; an update that raises it because the server went away in its midst may have been done.
    """

    def __init__(
        self, url: str, key_prefix: str, timeout_seconds: float, pause: Callable[[float], None] = time.sleep
    ) -> None:
        """Raises StoreUnavailable for a url that no client takes; whether a server answers shows at the first use."""
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
        self._exchange = self._redis.register_script(_EXCHANGE)
        connection = self._redis.connection_pool.connection_kwargs
        self._where = connection.get("path") or f"{connection.get('host')}:{connection.get('port', 6379)}"

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
        """False where another writer came between."""
        names = [self._prefix + key for key in keys]
        held: list[bytes | None] = self._redis.mget(names) if names else []
        changed = change({key: value for key, value in zip(keys, held, strict=True) if value is not None})
        written = [self._prefix + key for key in changed]
        digests = [b"" if value is None else sha1(value, usedforsecurity=False).hexdigest() for value in held]
        states = [part for kept in changed.values() for part in _said(kept)]
        return bool(self._exchange([receipt, *names, *written], [len(names), *digests, *states]))

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            raise StoreUnavailable(f"Redis at {self._where} cannot be used: {error}") from error


def _said(kept: Kept | None) -> tuple[bytes, int | str]:
    return (b"", "") if kept is None else (kept.value, max(1, int(kept.expires_at * 1_000)))
