"""What of a list has been counted, so that another revision of it adds only what is new."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from feedback.contexts import daypart_of, place_class
from feedback.query_classes import query_class
from feedback.statistics import Counter
from topics.feedback import JoinedList, ListAction

_VERSION = b"\x01"
NO_DAYPART = -1
_COUNTED_ACTIONS = {
    "click": Counter.CLICKS,
    "add_to_cart": Counter.ADD_TO_CARTS,
    "purchase": Counter.PURCHASES,
}
IMPRESSION = "impression"


class Contribution(NamedTuple):
    """One count that a list gives a product. Of an impression `examined` is the chance that it was looked at, and
    `expected_clicks` the share of the list that was clicked. `daypart` is that of the list.
    """

    product_id: str
    counter: int
    at: float
    examined: float = 0.0
    expected_clicks: float = 0.0
    daypart: int = NO_DAYPART


@dataclass(frozen=True, slots=True)
class Entry:
    """What has been counted as of `revision`, under which query class and place, and in whose profile it stands;
    nothing in the list is later than `until`. `asked`: its query was known then.
    """

    revision: int = 0
    shopper: str = ""
    query_class: str = ""
    until: float = 0.0
    contributions: frozenset[Contribution] = frozenset()
    place: str = ""
    asked: bool = False

    @property
    def standing(self) -> tuple[bool, int]:
        """As JoinedList has it."""
        return self.asked, self.revision


def entry_of(one: JoinedList, examination: Sequence[float] = ()) -> Entry:
    """What a list counts. One that is suspect counts nothing and stands in no profile. Without its query, or upon what
    it did not show, nothing counts: there is nothing to be a share of.

    `examination`: the chances that the places 1, 2, ... are looked at, the last one for all that follow; left out, all
    that is shown is looked at.
    """
    if one.suspect:
        return Entry(one.revision)
    shown = {product.product_id for product in one.shown}
    places = seen_products(one) if shown and one.at is not None else {}
    clicked = {action.product_id for action in one.actions if action.action == "click"} & places.keys()
    share = len(clicked) / max(len(places), 1)
    known = daypart_of(one.context)
    daypart = NO_DAYPART if known is None else int(known)
    seen = [
        Contribution(product_id, Counter.IMPRESSIONS, at, _examined(position, examination), share, daypart)
        for product_id, (at, position) in places.items()
    ]
    done = [
        Contribution(action.product_id, _COUNTED_ACTIONS[action.action], action.at, daypart=daypart)
        for action in first_actions(one.actions)
        if action.action in _COUNTED_ACTIONS and action.product_id in shown
    ]
    until = max([action.at for action in one.actions] + [one.at or 0.0])
    contributions = frozenset(seen + done)
    return Entry(one.revision, one.shopper, query_class(one.text), until, contributions, place_class(one.context))


def seen_products(one: JoinedList) -> dict[str, tuple[float, int]]:
    """When and at which place each product was seen; place 0 where that is not known.

    Where the page reports impressions, what was shown counts as seen only if it is among them or was acted upon.
    """
    reported = {action.product_id: action.at for action in reversed(one.actions) if action.action == IMPRESSION}
    if one.at is None or not one.shown:
        return {product_id: (at, 0) for product_id, at in reported.items()}
    seen = {action.product_id for action in one.actions} if reported else None
    places = {product.product_id: product.position for product in reversed(one.shown)}
    return {product: (one.at, place) for product, place in places.items() if seen is None or product in seen}


def first_actions(actions: Iterable[ListAction]) -> list[ListAction]:
    """The first of equal actions upon a product, impressions left out, by time."""
    first: dict[tuple[str, str], ListAction] = {}
    for action in sorted(actions, key=lambda action: (action.at, action.event_id)):
        if action.action != IMPRESSION:
            first.setdefault((action.action, action.product_id), action)
    return list(first.values())


def encode_entry(entry: Entry) -> bytes:
    lines = [tuple(line) for line in sorted(entry.contributions)]
    head = entry.revision, entry.shopper, entry.query_class, entry.until
    return _VERSION + orjson.dumps([*head, lines, entry.place, entry.asked])


def decode_entry(state: bytes | None) -> Entry:
    """Nothing counted where there is no state. Raises ValueError for another version."""
    if state is None:
        return Entry()
    if state[:1] != _VERSION:
        raise ValueError(f"a ledger of version {state[0]} is not known here")
    revision, shopper, of_class, until, lines, place, asked = orjson.loads(state[1:])
    return Entry(revision, shopper, of_class, until, frozenset(Contribution(*line) for line in lines), place, asked)


def _examined(position: int, examination: Sequence[float]) -> float:
    if not examination or position < 1:
        return 1.0
    return examination[min(position, len(examination)) - 1]
