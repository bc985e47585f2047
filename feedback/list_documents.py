"""An open list as `feedback.examples` says it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from feedback.join import Action, OpenList, own_list_id


def documents(
    list_id: str, known: OpenList, window: float, touched: Collection[str] | None
) -> Iterator[dict[str, Any]]:
    """The list as a JoinedList says it, and a list of its own for each action that is not joined to it.

    Those are upon what was not shown, or later than `window` seconds. Of them only the `touched`; None: all.
    """
    query = known.query
    if query is None:
        yield _document(list_id, known, known.actions, 0)
        return
    shown = {one["product_id"] for one in query.shown}
    latest = query.at + window
    joined, late = {}, 0
    for event_id, action in known.actions.items():
        if action.product_id in shown and action.at <= latest:
            joined[event_id] = action
            continue
        late += action.at > latest
        if touched is None or event_id in touched:
            own_id = own_list_id(list_id, event_id, action.shopper)
            own = OpenList(None, {event_id: action}, known.suspect)
            yield _document(own_id, own, own.actions, 0)
    yield _document(list_id, known, joined, late)


def _document(list_id: str, known: OpenList, joined: Mapping[str, Action], late: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "query_id": list_id,
        "revision": known.revision,
        "shopper": known.shopper,
        "session": known.session,
        "actions": _actions(joined),
        "late": late,
        "suspect": known.suspect,
    }
    query = known.query
    if query is not None:
        document |= {
            "at": query.at,
            "text": query.text,
            "kind": query.kind,
            "language": query.language,
            "arm": query.arm,
            "releases": query.releases,
            "context": query.context,
            "shown": query.shown,
        }
    return document


def _actions(joined: Mapping[str, Action]) -> list[dict[str, Any]]:
    by_time = sorted(joined.items(), key=lambda one: (one[1].at, one[0]))
    return [
        {
            "event_id": event_id,
            "action": action.action,
            "product_id": action.product_id,
            "at": action.at,
            "dwell_seconds": action.dwell_seconds,
        }
        for event_id, action in by_time
    ]
