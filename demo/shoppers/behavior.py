"""What shoppers do as User Behavior Insights says it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from demo.shoppers.browsing import Deed


@dataclass(frozen=True, slots=True)
class ShownList:
    """What a search showed to whom, and when; ids of products in the order of their places."""

    query_id: str
    user_id: str
    session_id: str
    shown_at: datetime
    product_ids: Sequence[str]


def as_event(deed: Deed, shown: ShownList) -> Mapping[str, Any]:
    """A UBI event. Its `event_id` follows from what it says, so that sent again it is the same event."""
    product_id = shown.product_ids[deed.place - 1]
    attributes: dict[str, Any] = {
        "object": {"object_id": product_id, "object_id_type": "product"},
        "position": {"ordinal": deed.place},
    }
    if deed.dwell_seconds is not None:
        attributes["dwell_seconds"] = deed.dwell_seconds
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{shown.query_id}|{deed.action}|{deed.place}")),
        "action_name": deed.action.value,
        "timestamp": (shown.shown_at + timedelta(seconds=deed.seconds)).isoformat(),
        "query_id": shown.query_id,
        "user_id": shown.user_id,
        "session_id": shown.session_id,
        "event_attributes": attributes,
    }
