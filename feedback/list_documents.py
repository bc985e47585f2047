"""An open list as `feedback.examples` says it."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from feedback.join import Action, OpenList, ShownList, own_list_id
from feedback.join_settings import JoinSettings

_Actions = dict[str, Action]


def documents(
    list_id: str, known: OpenList, window: float, touched: Collection[str] | None
) -> Iterator[dict[str, Any]]:
    """The list as a JoinedList says it, and before it those beside it that have `touched` actions; None: all."""
    for own_id in known.taken_back:
        yield _document(own_id, OpenList(suspect=known.suspect, flooded=True), {}, 0)
    query = known.query
    if known.query_erased or (query is not None and not query.shopper):
        touched = None  # what was told as the list's may have become a list of its own
    joined, own = _apart(list_id, known, window)
    for own_id, actions in own.items():
        if touched is None or any(event_id in touched for event_id in actions):
            one = OpenList(None, actions, known.suspect, erased=known.erased)
            yield _document(own_id, one, actions, 0)
    late = 0 if query is None else sum(action.at > query.at + window for action in known.actions.values())
    yield _document(list_id, known, joined, late)


def add_actions(list_id: str, known: OpenList, actions: Mapping[str, Action], settings: JoinSettings) -> int:
    """How many were not known. Above `max_actions` the list is flooded."""
    may_flood = len(known.actions) + len(actions) > settings.max_actions
    told = own_list_ids(list_id, known, settings.window_seconds) if may_flood else ()
    added = known.add_actions(actions)
    if len(known.actions) > settings.max_actions:
        known.flood(told)
    return added


def own_list_ids(list_id: str, known: OpenList, window: float) -> Collection[str]:
    """Of the lists that its actions make beside it."""
    return _apart(list_id, known, window)[1].keys()


def _apart(list_id: str, known: OpenList, window: float) -> tuple[_Actions, dict[str, _Actions]]:
    """What is joined to the list, and what makes lists of its own, one for each person and session.

    Those are of actions upon what was not shown, later than `window` seconds, or somebody else's, which is both. Before
    the query is known all is joined; where it was erased all is apart.
    """
    query, shopper = known.query, known.shopper
    if not known.actions or (query is None and not known.query_erased):
        return known.actions, {}
    shown = {one["product_id"] for one in query.shown} if query is not None else set()
    latest = query.at + window if query is not None else 0.0
    joined: _Actions = {}
    own: dict[str, _Actions] = {}
    for event_id, action in known.actions.items():
        is_joined = action.product_id in shown and action.at <= latest
        if is_joined:
            joined[event_id] = action
        if not is_joined or not _is_of(shopper, query, action):
            own.setdefault(own_list_id(list_id, action.session, action.shopper), {})[event_id] = action
    return joined, own


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
