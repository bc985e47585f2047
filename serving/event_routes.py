"""What shoppers do, from their pages to the broker."""

from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from serving.answers import json_response
from serving.event_models import EventsAccepted, SentEvent
from serving.event_notes import event_notes
from serving.openapi import json_body, problem_responses
from serving.openapi_examples import EVENT
from serving.problems import Problem, from_validation
from serving.pseudonyms import Pseudonyms
from serving.publishing import WaitingPublisher
from serving.request_bodies import json_request_body, one_or_many
from serving.services import Services
from serving.settings import ServerSettings
from topics.behavior import BehaviorEvent, encode_event
from topics.catalogue import BEHAVIOR_EVENTS
from topics.publisher import Message

_EVENTS: TypeAdapter[list[SentEvent]] = TypeAdapter(list[SentEvent])
_NAMES_OF_PEOPLE = ("user_id", "client_id", "session_id")


def event_router(services: Services, settings: ServerSettings, pseudonyms: Pseudonyms) -> APIRouter:
    router = APIRouter(tags=["events"])
    waiting = CapacityLimiter(settings.publish_threads)
    publisher = WaitingPublisher(services.publisher, services.metrics, settings.publish_timeout_seconds)
    schema = {"$ref": "#/components/schemas/SentEvent"}
    many = {"type": "array", "items": schema, "minItems": 1, "maxItems": settings.max_events}

    @router.post(
        "/v1/events",
        status_code=202,
        response_model=EventsAccepted,
        responses=problem_responses(400, 408, 413, 415, 422, 429, 503),
        openapi_extra=json_body({"oneOf": [schema, many]}, {"one": EVENT, "many": [EVENT]}),
    )
    async def publish_events(request: Request) -> Response:
        """Say what shoppers did: one event of User Behavior Insights 1.3, or a list; an invalid one refuses all.

        After 503 some may have arrived all the same. Sending them again is safe: each counts once, by its `event_id`
        or, without one, by what it says.

        A `timestamp` ahead of the server's clock becomes the time of the request: `client_timestamp` keeps what was
        sent. What is older stays: a browser may have been offline.

        Names of people (`user_id`, `client_id`, `session_id`) become pseudonyms before anything else sees them.
        """
        body = await json_request_body(request)
        return await anyio.to_thread.run_sync(partial(publish, body), limiter=waiting)

    def publish(body: bytes) -> Response:
        sent = one_or_many(body, settings.max_events, "events")
        events = _events(sent)
        notes = event_notes(events, sent if isinstance(sent, list) else [sent])
        now = services.clock()
        nameless = [_without_names(event, pseudonyms) for event in events]
        messages = [_message(event, now, position, settings.max_event_bytes) for position, event in enumerate(nameless)]
        publisher.publish(BEHAVIOR_EVENTS, messages)
        return json_response({"accepted": len(events)} | ({"notes": notes} if notes else {}), 202)

    return router


def _events(sent: Any) -> list[SentEvent]:
    """Raises Problem where one of them, or the whole, cannot be taken."""
    try:
        return _EVENTS.validate_python(sent) if isinstance(sent, list) else [SentEvent.model_validate(sent)]
    except ValidationError as error:
        raise from_validation(error) from None


def _without_names(event: BehaviorEvent, pseudonyms: Pseudonyms) -> BehaviorEvent:
    named = {field: name for field in _NAMES_OF_PEOPLE if (name := getattr(event, field))}
    return event.model_copy(update={field: pseudonyms.of(name) for field, name in named.items()})


def _dated(event: BehaviorEvent, now: datetime) -> BehaviorEvent:
    """As the server's clock has it: one that is ahead would count nothing, or outlast an erasure.

    What names no `event_id` gets one of what it says, since a repeat comes at another time. Raises ValueError for an
    event that cannot be written.
    """
    if event.timestamp <= now:
        return event
    named = (event.model_extra or {}).get("event_id")
    event_id = named if isinstance(named, str) and named else blake2b(encode_event(event), digest_size=12).hexdigest()
    dated = {"timestamp": now, "client_timestamp": event.timestamp, "event_id": event_id}
    return event.model_copy(update=dated)


def _message(event: BehaviorEvent, now: datetime, position: int, most_bytes: int) -> Message:
    """Raises Problem for an event that no follower could read."""
    try:
        value = encode_event(_dated(event, now))
    except ValueError as error:
        raise Problem("invalid-fields", f"event {position} cannot be written: {error}") from None
    if len(value) > most_bytes:
        raise Problem("too-large", f"event {position} has {len(value)} bytes, {most_bytes} are taken")
    return Message(BEHAVIOR_EVENTS, event.key, value)
