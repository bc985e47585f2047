"""The join of a list with what was done with it: a fold that knows no order.

What is known of a list is its query and the set of its actions by event id. Whether an action is late is said by its
time and the query's, so either side may come first, and a repeat changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import orjson

from topics.behavior import BehaviorEvent, BehaviorQuery

FLOODED = "too_many_actions"
_FLOODED_REVISION = 1_000_000  # above that of any list whose actions are kept
MOST_ACTIONS = 10_000
_LONGEST_DWELL = 1e9


class Action(NamedTuple):
    """What was done with a product, and by whom. `at` is seconds since 1970, by the event."""

    at: float
    action: str
    product_id: str
    dwell_seconds: float | None
    shopper: str
    session: str


class ShownList(NamedTuple):
    """What a query says. `at` is seconds since 1970; `shown` is as a JoinedList has it."""

    at: float
    text: str
    shopper: str
    session: str
    kind: str
    language: str
    arm: str
    releases: Mapping[str, str]
    context: Mapping[str, str]
    shown: list[dict[str, Any]]


Said = TypeVar("Said", Action, ShownList)


class ActionUpon(NamedTuple):
    """An event in the words of the join: the list that it belongs to, and itself."""

    list_id: str
    event_id: str
    action: Action


@dataclass(slots=True)
class OpenList:
    """All that is known of a list. `flooded`: it had more actions than are kept, so that none is; `taken_back` are then
    the ids of lists that were made of its actions before. `erased`: how many things an erasure took out, and whether
    the query was among them.
    """

    query: ShownList | None = None
    actions: dict[str, Action] = field(default_factory=dict)
    suspect: str = ""
    flooded: bool = False
    taken_back: list[str] = field(default_factory=list)
    erased: int = 0
    query_erased: bool = False

    def add_query(self, query: ShownList) -> None:
        self.query = least(self.query, query)

    def add_actions(self, actions: Mapping[str, Action]) -> int:
        """How many of them were not known."""
        if self.flooded:
            return len(actions)
        before = len(self.actions)
        for event_id, action in actions.items():
            self.actions[event_id] = least(self.actions.get(event_id), action)
        return len(self.actions) - before

    def flood(self, own_lists: Iterable[str]) -> None:
        """More was done than is kept: nothing of it is, nor in the lists that were made of it."""
        self.flooded, self.suspect, self.actions, self.taken_back = True, FLOODED, {}, sorted(own_lists)

    @property
    def revision(self) -> int:
        known = _FLOODED_REVISION if self.flooded else len(self.actions) + bool(self.suspect)
        return known + (self.query is not None) + self.erased

    @property
    def shopper(self) -> str:
        """By the query; where it names nobody, the least name that its actions have."""
        named = self.query.shopper if self.query is not None else ""
        return named or min((one.shopper for one in self.actions.values() if one.shopper), default="")

    @property
    def session(self) -> str:
        named = self.query.session if self.query is not None else ""
        return named or min((one.session for one in self.actions.values() if one.session), default="")


def least(known: Said | None, said: Said) -> Said:
    """Of two that say different things under one id, which no sender should make: the same one in any order."""
    return said if known is None or (said != known and _order(said) < _order(known)) else known


def shown_list(query: BehaviorQuery) -> ShownList:
    said = query.query_attributes
    return ShownList(
        query.timestamp.timestamp(),
        query.user_query,
        query.actor,
        query.session_id or "",
        said.kind,
        said.language,
        said.arm,
        said.releases,
        said.context,
        _shown(query),
    )


def action_upon(event: BehaviorEvent) -> ActionUpon | None:
    """None where it says nothing of a product."""
    product_id = event.product_id
    if product_id is None:
        return None
    action = Action(
        event.timestamp.timestamp(), event.action_name, product_id, _dwell(event), event.actor, event.session_id or ""
    )
    event_id = _event_id(event, action)
    list_id = event.query_id or own_list_id("", event_id, event.actor)  # event ids of two senders may be equal
    return ActionUpon(list_id, event_id, action)


def own_list_id(*said: str) -> str:
    """The id of a list that no query has."""
    return "event:" + _digest(list(said))


def encode(known: OpenList) -> bytes:
    query = list(known.query) if known.query is not None else None
    actions = {event_id: list(action) for event_id, action in known.actions.items()}
    return orjson.dumps(
        [query, actions, known.suspect, known.flooded, known.taken_back, known.erased, known.query_erased]
    )


def decode(state: bytes) -> OpenList:
    """What `encode` made."""
    query, actions, *rest = orjson.loads(state)
    return OpenList(
        ShownList._make(query) if query is not None else None,
        {event_id: Action._make(action) for event_id, action in actions.items()},
        *rest,
    )


def _shown(query: BehaviorQuery) -> list[dict[str, Any]]:
    """Without positions the products stand from 1 on."""
    product_ids, said = query.query_response_hit_ids, query.query_attributes
    positions = said.positions or range(1, len(product_ids) + 1)
    shown: list[dict[str, Any]] = [
        {"product_id": product_id, "position": position}
        for product_id, position in zip(product_ids, positions, strict=True)
    ]
    for name, column in (
        ("propensity", said.propensities),
        ("retrieval_position", said.retrieval_positions),
        ("retrieval_score", said.retrieval_scores),
    ):
        if column is not None:
            for one, value in zip(shown, column, strict=True):
                one[name] = value
    return shown


def _event_id(event: BehaviorEvent, action: Action) -> str:
    """The event's own, or a digest of what it says: what a browser sends twice is one event."""
    named = event.model_extra.get("event_id") if event.model_extra else None
    if isinstance(named, str) and named:
        return named if len(named) <= 100 else _digest([named])
    return _digest([event.query_id, *action])


def _dwell(event: BehaviorEvent) -> float | None:
    said = (event.event_attributes.model_extra or {}).get("dwell_seconds") if event.event_attributes else None
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return float(said) if 0 <= said < _LONGEST_DWELL else None


def _digest(said: list[Any]) -> str:
    return blake2b(orjson.dumps(said), digest_size=12).hexdigest()


def _order(said: Action | ShownList) -> tuple[float, bytes]:
    return said.at, orjson.dumps(list(said), option=orjson.OPT_SORT_KEYS)
