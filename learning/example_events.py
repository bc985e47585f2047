"""The example log as the queries and events that it was joined from, so that it can be replayed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

from topics.behavior import BehaviorEvent, BehaviorQuery, EventAttributes, EventObject, QueryAttributes
from topics.feedback import JoinedList, ListAction

T = TypeVar("T")

_LONGEST_NAME = 100


def events_of(lists: Iterable[JoinedList]) -> list[BehaviorQuery | BehaviorEvent]:
    """In the order of time, without lists whose query is not known."""
    events = [event for one in lists if one.at is not None for event in _events(one, one.at)]
    return sorted(events, key=lambda event: (event.timestamp, isinstance(event, BehaviorEvent)))


def _events(one: JoinedList, at: float) -> Iterator[BehaviorQuery | BehaviorEvent]:
    yield _query(one, at)
    yield from (_event(one, action) for action in one.actions)


def _query(one: JoinedList, at: float) -> BehaviorQuery:
    retrieval_positions = [shown.retrieval_position for shown in one.shown]
    retrieval_scores = [shown.retrieval_score for shown in one.shown]
    propensities = [shown.propensity for shown in one.shown]
    return BehaviorQuery(
        query_id=one.query_id,
        user_query=one.text,
        timestamp=_moment(at),
        user_id=one.shopper or None,
        session_id=one.session or None,
        query_response_hit_ids=tuple(shown.product_id for shown in one.shown),
        query_attributes=QueryAttributes(
            positions=tuple(shown.position for shown in one.shown),
            propensities=_known(propensities),
            retrieval_positions=_known(retrieval_positions),
            retrieval_scores=_known(retrieval_scores),
            releases=one.releases,
            arm=one.arm,
            kind=one.kind,
            language=one.language,
            context=one.context,
        ),
    )


def _event(one: JoinedList, action: ListAction) -> BehaviorEvent:
    stayed = {} if action.dwell_seconds is None else {"dwell_seconds": action.dwell_seconds}
    thing = EventObject(object_id=action.product_id, object_id_type="product")
    who = f"not {one.query_id}: {action.event_id}"[:_LONGEST_NAME] if action.by_other else one.shopper
    return BehaviorEvent.model_validate(
        {
            "event_id": action.event_id,
            "action_name": action.action,
            "timestamp": _moment(action.at),
            "query_id": one.query_id,
            "user_id": who or None,
            "session_id": (one.session or None) if who == one.shopper else None,
            "event_attributes": EventAttributes.model_validate({"object": thing, **stayed}),
        }
    )


def _known(column: Iterable[T | None]) -> tuple[T, ...] | None:
    """A column is known as a whole or not at all."""
    values = tuple(column)
    known = tuple(value for value in values if value is not None)
    return known if len(known) == len(values) else None


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
