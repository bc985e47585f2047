"""An open list as `feedback.examples` says it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from feedback.join import Action, OpenList, ShownList, own_list_id
from feedback.join_settings import JoinSettings


def documents(
    list_id: str, known: OpenList, window: float, touched: Collection[str] | None
) -> Iterator[dict[str, Any]]:
    """The list as a JoinedList says it, and before it those of `own_lists` that have `touched` actions; None: all."""
    for own_id in known.taken_back:
        yield _document(own_id, OpenList(suspect=known.suspect, flooded=True), {}, 0)
    query = known.query
    if known.query_erased or (query is not None and not query.shopper):
        touched = None  # what was told as the list's may have become a list of its own
    for own_id, actions in own_lists(list_id, known, window).items():
        if touched is None or any(event_id in touched for event_id in actions):
            own = OpenList(None, actions, known.suspect, erased=known.erased)
            yield _document(own_id, own, actions, 0)
    if query is None:
        yield _document(list_id, known, {} if known.query_erased else known.actions, 0)
        return
    shown, latest = _shown(query), query.at + window
    joined = {id_: one for id_, one in known.actions.items() if one.product_id in shown and one.at <= latest}
    late = sum(action.at > latest for action in known.actions.values())
    yield _document(list_id, known, joined, late)


def own_lists(list_id: str, known: OpenList, window: float) -> dict[str, dict[str, Action]]:
    """What makes lists of its own, one for each person and session: actions upon what was not shown, later than
    `window` seconds, or somebody else's. None before the query is known; all where it was erased.
    """
    query, shopper = known.query, known.shopper
    if query is None and not known.query_erased:
        return {}
    shown, latest = (_shown(query), query.at + window) if query is not None else (frozenset(), 0.0)
    lists: dict[str, dict[str, Action]] = {}
    for event_id, action in known.actions.items():
        if action.product_id in shown and action.at <= latest and _is_of(shopper, query, action):
            continue
        own_id = own_list_id(list_id, action.session, action.shopper)
        lists.setdefault(own_id, {})[event_id] = action
    return lists


def add_actions(list_id: str, known: OpenList, actions: Mapping[str, Action], settings: JoinSettings) -> int:
    """How many were not known. Above `max_actions` the list is flooded."""
    may_flood = len(known.actions) + len(actions) > settings.max_actions
    told = own_lists(list_id, known, settings.window_seconds) if may_flood else ()
    added = known.add_actions(actions)
    if len(known.actions) > settings.max_actions:
        known.flood(told)
    return added


def _shown(query: ShownList) -> frozenset[str]:
    return frozenset(one["product_id"] for one in query.shown)


def _is_of(shopper: str, query: ShownList | None, action: Action) -> bool:
    """Who logs in within a session gets another name, and remains the list's shopper."""
    if not action.shopper or action.shopper == shopper:
        return True
    return query is not None and query.session != "" and action.session == query.session


def _document(list_id: str, known: OpenList, joined: Mapping[str, Action], late: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "query_id": list_id,
        "revision": known.revision,
        "shopper": known.shopper,
        "session": known.session,
        "actions": _actions(known, joined),
        "late": late,
        "suspect": known.suspect,
    }
    if known.query_erased:
        document["query_erased"] = True
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


def _actions(known: OpenList, joined: Mapping[str, Action]) -> list[dict[str, Any]]:
    by_time = sorted(joined.items(), key=lambda one: (one[1].at, one[0]))
    shopper = known.shopper
    return [
        {
            "event_id": event_id,
            "action": action.action,
            "product_id": action.product_id,
            "at": action.at,
            "dwell_seconds": action.dwell_seconds,
            **({} if _is_of(shopper, known.query, action) else {"by_other": True}),
        }
        for event_id, action in by_time
    ]
