"""Round every request: its id, its time, a limit to its body, and one place where the unexpected ends."""

import logging
import re
import uuid
from time import perf_counter

from anyio import current_time, fail_after
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.metrics import Metrics
from serving.problems import Problem, internal_error

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_EVENT_STREAM = "text/event-stream"  # lasts as long as its client stays, which is not the time of an answer
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestObserver:
    """Echoes or invents `X-Request-ID`, times requests by route, and answers 500 where a route fails."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._seconds = metrics.http_request_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id
        start = perf_counter()
        status, is_endless = 0, False

        async def send_with_id(message: Message) -> None:
            nonlocal status, is_endless
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                is_endless = headers.get("content-type", "").startswith(_EVENT_STREAM)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            logger.exception("Request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if status:  # the answer has begun: only a broken connection can tell the client now
                raise
            await internal_error(request_id)(scope, receive, send_with_id)
        finally:
            if not is_endless:
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._seconds.labels(method, _route(scope), str(status)).observe(perf_counter() - start)


class BodyLimit:
    """Refuses a longer body, at once where its length is announced, and one that is too long on its way."""

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            await self._too_large().response(scope.get("request_id"))(scope, receive, send)
            return
        received, complete = 0, False
        deadline = current_time() + self._timeout_seconds

        async def limited_receive() -> Message:
            nonlocal received, complete
            if complete:  # what is waited for now is the client's going, as long as an answer takes
                return await receive()
            try:
                with fail_after(deadline - current_time()):
                    message = await receive()
            except TimeoutError:
                raise self._too_slow() from None
            complete = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._too_large()
            return message

        await self._app(scope, limited_receive, send)

    def _too_slow(self) -> Problem:
        seconds = f"{self._timeout_seconds:g} s"
        return Problem("too-slow", f"a body may take {seconds}", headers={"Connection": "close"})

    def _too_large(self) -> Problem:
        return Problem("too-large", f"at most {self._max_bytes} bytes are taken", headers={"Connection": "close"})


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """The template of the route, since paths are without number."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))
