"""What shoppers do, from their pages to the broker."""

from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from anyio import CapacityLimiter
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from serving.answers import json_response
from serving.openapi import json_body, problem_responses
from serving.openapi_examples import EVENT
from serving.problems import Problem, from_validation, invalid_field
from serving.pseudonyms import Pseudonyms
from serving.publishing import WaitingPublisher
from serving.request_bodies import json_request_body
from serving.services import Services
from serving.settings import ServerSettings
from topics.behavior import BehaviorEvent, as_document
from topics.catalogue import BEHAVIOR_EVENTS
from topics.publisher import Message

_EVENT: TypeAdapter[BehaviorEvent] = TypeAdapter(BehaviorEvent)
_EVENTS: TypeAdapter[list[BehaviorEvent]] = TypeAdapter(list[BehaviorEvent])
_NAMES_OF_PEOPLE = ("user_id", "client_id", "session_id")


class EventsAccepted(BaseModel):
    """The broker holds the events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: int = Field(examples=[1])


def event_router(services: Services, settings: ServerSettings) -> APIRouter:
    router = APIRouter(tags=["events"])
    waiting = CapacityLimiter(settings.publish_threads)
    publisher = WaitingPublisher(services.publisher, services.metrics, settings.publish_timeout_seconds)
    pseudonyms = Pseudonyms(settings.pseudonym_key.get_secret_value())
    schema = {"$ref": "#/components/schemas/BehaviorEvent"}
    many = {"type": "array", "items": schema, "minItems": 1, "maxItems": settings.max_events}

    @router.post(
        "/v1/events",
        status_code=202,
        response_model=EventsAccepted,
        responses=problem_responses(400, 408, 413, 415, 422, 429, 503),
        openapi_extra=json_body({"oneOf": [schema, many]}, {"one": EVENT, "many": [EVENT]}),
    )
    async def publish_events(request: Request) -> Response:
        """Say what shoppers did: one event of User Behavior Insights 1.3, or a list; all are published, or none.

        Names of people (`user_id`, `client_id`, `session_id`) become pseudonyms before anything else sees them.
        """
        body = await json_request_body(request)
        return await anyio.to_thread.run_sync(partial(publish, body), limiter=waiting)

    def publish(body: bytes) -> Response:
        events = _events(body, settings.max_events)
        publisher.publish(BEHAVIOR_EVENTS, [_message(_without_names(event, pseudonyms)) for event in events])
        return json_response({"accepted": len(events)}, 202)

    return router


def _events(body: bytes, most: int) -> list[BehaviorEvent]:
    """Raises Problem where one of them, or the whole, cannot be taken."""
    try:
        sent: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid-json", str(error)) from None
    try:
        if not isinstance(sent, list):
            return [_EVENT.validate_python(sent)]
        if not 1 <= len(sent) <= most:
            raise invalid_field(f"send 1 to {most} events at once", pointer="#")
        return _EVENTS.validate_python(sent)
    except ValidationError as error:
        raise from_validation(error) from None


def _without_names(event: BehaviorEvent, pseudonyms: Pseudonyms) -> BehaviorEvent:
    named = {field: name for field in _NAMES_OF_PEOPLE if (name := getattr(event, field))}
    return event.model_copy(update={field: pseudonyms.of(name) for field, name in named.items()})


def _message(event: BehaviorEvent) -> Message:
    return Message(BEHAVIOR_EVENTS, event.key, orjson.dumps(as_document(event)))
