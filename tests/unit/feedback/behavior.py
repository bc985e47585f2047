"""Queries and events as tests write them, and what a join makes of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from feedback.join_batch import Joined
from feedback.join_settings import JoinSettings
from feedback.joining import ClickJoin
from feedback.memory_store import MemoryStore
from feedback.store import ProfileStore
from feedback.traffic import TrafficSettings
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.feedback import JoinedList

START = 1_795_000_000.0
HOUR = 3_600.0


def moment(seconds: float) -> datetime:
    """So long after the start of all tests."""
    return datetime.fromtimestamp(START + seconds, UTC)


def asked(
    query_id: str,
    *product_ids: str,
    at: float = 0,
    shopper: str | None = "ann",
    session: str | None = "morning",
    **attributes: Any,
) -> BehaviorQuery:
    return BehaviorQuery(
        query_id=query_id,
        user_query="lamp",
        timestamp=moment(at),
        user_id=shopper,
        session_id=session,
        query_response_hit_ids=product_ids,
        query_attributes=attributes,  # type: ignore[arg-type]
    )


def did(
    query_id: str | None,
    product_id: str | None,
    at: float = 10,
    action: str = "click",
    shopper: str | None = "ann",
    **said: Any,
) -> BehaviorEvent:
    thing = {"object": {"object_id": product_id, "object_id_type": "product"}} if product_id is not None else {}
    return BehaviorEvent(
        action_name=action,
        timestamp=moment(at),
        query_id=query_id,
        user_id=shopper,
        event_attributes={**thing, **said.pop("event_attributes", {})},  # type: ignore[arg-type]
        **said,
    )


def lists_of(joined: Iterable[Joined]) -> dict[str, JoinedList]:
    """Each list as its highest revision says it. Of equal revisions all must be equal."""
    newest: dict[str, JoinedList] = {}
    for batch in joined:
        for key, value in batch.messages:
            one = JoinedList.model_validate_json(value)
            assert key == one.query_id.encode()
            held = newest.get(one.query_id)
            assert held is None or held.revision != one.revision or held == one
            if held is None or one.revision > held.revision:
                newest[one.query_id] = one
    return newest


def click_join(
    store: ProfileStore | None = None,
    settings: Mapping[str, Any] | None = None,
    rules: Mapping[str, Any] | None = None,
    now: float = START + 1_000 * HOUR,
) -> ClickJoin:
    return ClickJoin(
        store or MemoryStore(), JoinSettings(**(settings or {})), TrafficSettings(**(rules or {})), clock=lambda: now
    )


def joined_at_once(queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> dict[str, JoinedList]:
    return lists_of([click_join().join(queries, events)])
