"""A log as a server on this machine would have heard it: under pseudonyms, and up to now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from feedback.contexts import PLACE
from learning.ranked_lists import ObservedList
from learning.replay import candidates_of
from serving.pseudonyms import Pseudonyms
from serving.rank_models import MOST_CANDIDATES
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.shop_log import LoggedEvent

_NAMES = ("user_id", "client_id", "session_id")
_LONGEST_TEXT = 1_000
_LONGEST_PLACE = 100


def as_heard(events: Sequence[LoggedEvent], pseudonyms: Pseudonyms, now: datetime) -> list[LoggedEvent]:
    """Names of people are those of the log's under this key, and what happened last happened now: tastes fade, and
    those of an old log would have faded altogether. Products stay as they are.
    """
    times = [event.timestamp for event in events if not isinstance(event, Product)]
    later = now - max(times, default=now)
    return [event if isinstance(event, Product) else _heard(event, pseudonyms, later) for event in events]


def newest_products(events: Iterable[LoggedEvent]) -> list[Product]:
    """Each as it was at the log's end."""
    return list({event.id: event for event in events if isinstance(event, Product)}.values())


def example_request(events: Iterable[LoggedEvent], lists: Sequence[ObservedList]) -> dict[str, Any]:
    """The last list of whom most is known, as `POST /v1/rank` takes it; `events` are as the log has them."""
    most = max(reversed(lists), key=lambda each: each.number)
    queries = (event for event in events if isinstance(event, BehaviorQuery))
    query = next(query for query in queries if query.query_id == most.query_id)
    candidates = sorted(candidates_of(query), key=lambda one: one.position)[:MOST_CANDIDATES]
    scored = {
        one.product_id: {"product_id": one.product_id} | ({} if one.score is None else {"score": one.score})
        for one in candidates
    }
    request: dict[str, Any] = {"candidates": list(scored.values()), "text": query.user_query[:_LONGEST_TEXT]}
    place = query.query_attributes.context.get(PLACE, "")
    return request | _names(query) | {PLACE: place[:_LONGEST_PLACE], "explain": True, "track": False}


def without_names(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same of somebody of whom nothing is known."""
    return {key: value for key, value in request.items() if key not in _NAMES}


def _heard(event: BehaviorQuery | BehaviorEvent, pseudonyms: Pseudonyms, later: timedelta) -> LoggedEvent:
    names = {field: pseudonyms.of(name) for field, name in _names(event).items()}
    return event.model_copy(update={**names, "timestamp": event.timestamp + later})


def _names(event: BehaviorQuery | BehaviorEvent) -> dict[str, str]:
    return {field: name for field in _NAMES if (name := getattr(event, field))}
