"""Products as they become searchable, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Literal

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Scope, Send

from serving.announcements import Announcements, Subscription, TooManyStreams
from serving.openapi import problem_responses
from serving.problems import unavailable
from serving.services import Services

_MEDIA_TYPE = "text/event-stream"
_HEARTBEAT_SECONDS = 15.0  # shorter than the idle time of usual proxies
_RETRY = b"retry: 5000\n\n"  # milliseconds after which a browser comes back
_HEARTBEAT = b": nothing new\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # or nginx would gather what is to come at once


class IndexedProductEvent(BaseModel):
    """The data of an event `indexed`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_id: str
    outcome: Literal["indexed", "attributes_updated", "deleted"]
    title: str | None = Field(description="null of a deleted one")
    language: str | None = Field(description="BCP 47 tag of the title")
    image: str | None = Field(description="its first picture, as a search answer gives it")
    seconds: float = Field(description="from its event, by the broker's clock, until it was searchable")


def announcement_router(services: Services) -> APIRouter:
    router = APIRouter(tags=["search"])
    content = {_MEDIA_TYPE: {"schema": {"type": "string"}, "example": _example()}}

    @router.get(
        "/v1/indexed-products",
        response_class=StreamingResponse,
        responses={
            200: {"description": _DESCRIPTION, "content": content},
            **problem_responses(429, 503, example="too-many-streams"),
        },
    )
    async def indexed_products() -> StreamingResponse:
        """Server-sent events that do not end: each product as it becomes searchable, changes, or goes."""
        try:
            return _EventStream(services.announcements)
        except TooManyStreams:
            raise unavailable("too-many-streams", "search without news, or try again later", 60) from None

    return router


_DESCRIPTION = (
    "`event: indexed` with a product as data; `event: lost` where the client was too slow, with the number as data; a "
    "comment while nothing happens"
)


class _EventStream(StreamingResponse):
    """Gives its place back however the connection ends."""

    def __init__(self, announcements: Announcements) -> None:
        """Raises TooManyStreams."""
        self._announcements = announcements
        self._subscription = announcements.subscribe()
        super().__init__(_events(self._subscription), media_type=_MEDIA_TYPE, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._announcements.unsubscribe(self._subscription)


async def _events(subscription: Subscription) -> AsyncIterator[bytes]:
    yield _RETRY
    while (news := await subscription.take(_HEARTBEAT_SECONDS)) is not None:
        messages, lost = news
        parts = [b"event: lost\ndata: %d\n\n" % lost] if lost else []
        parts += [b"event: indexed\ndata: %s\n\n" % message for message in messages]
        yield b"".join(parts) or _HEARTBEAT


def _example() -> str:
    event = IndexedProductEvent(
        product_id="4711", outcome="indexed", title="Linen dress", language="en", image="/media/4711.jpg", seconds=0.31
    )
    return f"event: indexed\ndata: {orjson.dumps(event.model_dump()).decode()}\n\n"
