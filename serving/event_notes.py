"""What the sender of events should know of those that are taken and count less than it may seem."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from pydantic import TypeAdapter

from feedback.ledger import IMPRESSION
from feedback.profiles import KNOWN_DEEDS
from topics.behavior import BehaviorEvent

_KNOWN_ACTIONS = (*KNOWN_DEEDS, IMPRESSION)
_READ_BESIDE_UBI = {"event_id", "client_timestamp"}
_MOST_NAMED = 5
_LONGEST_NAME = 40
_TIME = TypeAdapter(datetime)


def event_notes(events: Sequence[BehaviorEvent], sent: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each kind, with the number of events; `sent` is what each event was read from."""
    unknown = [event.action_name for event in events if event.action_name not in _KNOWN_ACTIONS]
    unread = [sorted(names) for event in events if (names := (event.model_extra or {}).keys() - _READ_BESIDE_UBI)]
    kinds = [
        (
            sum(event.product_id is None for event in events),
            "without a product, so nothing counts: name it in event_attributes.object.object_id, with object_id_type "
            "`product` or none",
        ),
        (
            len(unknown),
            f"with an action_name that changes no profile ({_named(unknown)}): send {', '.join(_KNOWN_ACTIONS[:-1])} "
            f"or {_KNOWN_ACTIONS[-1]}",
        ),
        (
            sum(not event.query_id and bool(event.actor) for event in events),
            "without a query_id, good for recommendations and for leaving out what was bought or hidden, but for no "
            "click rate and no order of a search: send that of the answer that was acted upon",
        ),
        (
            sum(not event.query_id and not event.actor for event in events),
            "without a query_id and without a name, of which trending products alone hear: send the query_id of the "
            "answer, and user_id, client_id or session_id",
        ),
        (
            len(unread),
            f"with fields that are kept and read by nothing ({_named(chain.from_iterable(unread))}): /openapi.json "
            "has those that are read",
        ),
        (
            sum(_TIME.validate_python(one["timestamp"]).tzinfo is None for one in sent),
            "with a timestamp without a time zone, taken for UTC: end it with Z or an offset such as +01:00",
        ),
    ]
    return [f"{number} event{'s' if number > 1 else ''} {rest}" for number, rest in kinds if number]


def _named(names: Iterable[str]) -> str:
    """Each once, the first few of them."""
    different = list(dict.fromkeys(names))
    more = ["..."] if len(different) > _MOST_NAMED else []
    return ", ".join([name[:_LONGEST_NAME] for name in different[:_MOST_NAMED]] + more)
