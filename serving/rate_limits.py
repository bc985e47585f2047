"""How many requests a client may make: counted by `limits`, told in the headers RateLimit and RateLimit-Policy."""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import limits
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.metrics import Metrics
from serving.access import API_KEY_HEADER, ApiKeys
from serving.client_address import client_address
from serving.problems import Problem
from serving.settings import RateLimitSettings

logger = logging.getLogger(__name__)

_LIMITED = "/v1/"  # probes, metrics and what the page is made of are not
_NAMESPACE = "millrace"
_STORE_SECONDS = 0.2
_STORE_THREADS = 16
_LEFT_ALONE_SECONDS = 5.0

ClientKind = Literal["address", "api_key"]


@dataclass(frozen=True, slots=True)
class _Decision:
    """`retry_after` is whole seconds, None where the request may pass."""

    policy: str
    state: str
    retry_after: int | None


class RateLimit:
    """Middleware that refuses what is too much. Where the store does not answer, requests pass uncounted.

    It is then left alone for a few seconds, so that one request waits for it and not all; `monotonic` gives seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: RateLimitSettings,
        keys: ApiKeys,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._keys = keys
        self._trusted_proxies = settings.trusted_proxies
        self._limits = {"address": _parsed(settings.by_address), "api_key": _parsed(settings.by_api_key)}
        self._window = _Window(settings.store.get_secret_value())
        self._rate_limited = metrics.rate_limited
        self._monotonic = monotonic
        self._left_alone_until = -math.inf
        self._answers = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_LIMITED):
            await self._app(scope, receive, send)
            return
        kind, name = self._client(scope)
        decision = await self._decide(kind, name)
        if decision is None:
            await self._app(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = decision.policy
                headers["RateLimit"] = decision.state
            await send(message)

        if decision.retry_after is None:
            await self._app(scope, receive, send_with_limits)
            return
        self._rate_limited.labels(kind, "refused").inc()
        wait = decision.retry_after
        problem = Problem("too-many-requests", f"come back in {wait} s", headers={"Retry-After": str(wait)})
        await problem.response(scope.get("request_id"))(scope, receive, send_with_limits)

    def _client(self, scope: Scope) -> tuple[ClientKind, str]:
        """By key only where it is one of ours: invented keys would give as many clients as one likes."""
        key = Headers(scope=scope).get(API_KEY_HEADER, "")
        if key in self._keys:
            return "api_key", hashlib.sha256(key.encode()).hexdigest()
        return "address", client_address(scope, self._trusted_proxies)

    async def _decide(self, kind: ClientKind, name: str) -> _Decision | None:
        """None where nothing limits such clients, or the store does not answer."""
        items = self._limits[kind]
        if not items:
            return None
        if self._monotonic() < self._left_alone_until:
            self._rate_limited.labels(kind, "unchecked").inc()
            return None
        try:
            decision = await self._window.count(items, f"{kind}:{name}")
        except StorageError as error:
            self._rate_limited.labels(kind, "unchecked").inc()
            if self._answers:
                logger.error("Requests pass without limits: their store does not answer: %s", error)
            self._answers = False
            self._left_alone_until = self._monotonic() + _LEFT_ALONE_SECONDS
            return None
        self._answers = True
        return decision


class _Window:
    """One counter for each client and limit, from the client's first request until the window ends."""

    def __init__(self, store: str) -> None:
        in_memory = store.startswith("memory://")
        waits = {} if in_memory else {"socket_timeout": _STORE_SECONDS, "socket_connect_timeout": _STORE_SECONDS}
        storage = storage_from_string(store, wrap_exceptions=True, **waits)
        self._limiter = FixedWindowRateLimiter(storage)
        self._in_memory = isinstance(storage, MemoryStorage)
        self._threads = CapacityLimiter(_STORE_THREADS)

    async def count(self, items: Sequence[limits.RateLimitItem], client: str) -> _Decision:
        """Raises StorageError."""
        if self._in_memory:
            return self._count(items, client)
        return await run_sync(self._count, items, client, limiter=self._threads)

    def _count(self, items: Sequence[limits.RateLimitItem], client: str) -> _Decision:
        refused = [item for item in items if not self._limiter.hit(item, _NAMESPACE, client)]
        states = [(item, self._limiter.get_window_stats(item, _NAMESPACE, client)) for item in refused or items]
        now = time.time()
        waits = {_policy(item): max(1, math.ceil(stats.reset_time - now)) for item, stats in states}
        tightest, stats = min(states, key=lambda state: state[1].remaining)
        remaining = 0 if refused else stats.remaining
        return _Decision(
            policy=", ".join(f'"{_policy(item)}";q={item.amount};w={item.get_expiry()}' for item in items),
            state=f'"{_policy(tightest)}";r={remaining};t={waits[_policy(tightest)]}',
            retry_after=max(waits.values()) if refused else None,
        )


def _parsed(text: str) -> list[limits.RateLimitItem]:
    return limits.parse_many(text) if text else []


def _policy(item: limits.RateLimitItem) -> str:
    return f"{item.amount}-per-{item.get_expiry()}-s"
