"""What one shopper did lately: with which products, when, in which session; and what was seen and passed over."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from feedback.decay import Floats, left_after
from feedback.ledger import first_actions, seen_products
from feedback.settings import ProfileSettings
from topics.feedback import JoinedList

_VERSION = 1
_HEAD = struct.Struct("<BI")  # version, number of records
_RECORD = np.dtype(
    [
        ("at", "<f8"),
        ("list", "<u8"),
        ("session", "<u8"),
        ("dwell", "<f4"),
        ("position", "<u2"),
        ("product", "<u2"),
        ("action", "u1"),
    ]
)
_FURTHEST = 65_535


class Deed(IntEnum):
    """What was done with a product. PASSED_OVER: it was seen in a list, and nothing was done with it there."""

    PASSED_OVER = 0
    CLICK = 1
    ADD_TO_CART = 2
    PURCHASE = 3
    HIDE = 4
    VIEW = 5
    WATCH = 6
    DWELL = 7


_DEEDS = {deed.name.lower(): deed for deed in Deed if deed is not Deed.PASSED_OVER}


class Occurrence(NamedTuple):
    """One line of a profile as a list gives it; `position` is 0 and `dwell_seconds` NaN where they are not known."""

    product_id: str
    deed: int
    at: float
    position: int = 0
    dwell_seconds: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Deeds:
    """Columns of equal length, newest first. `sessions` are marks as of `session_mark`, 0 where there was none; `lists`
    say which lines are of one list.
    """

    product_ids: Sequence[str]
    deeds: NDArray[np.uint8]
    at: Floats
    sessions: NDArray[np.uint64]
    lists: NDArray[np.uint64]
    positions: NDArray[np.uint16]
    dwell_seconds: NDArray[np.float32]

    def weights(self, at: float, half_life_seconds: float) -> Floats:
        """How much each still counts at that time, from 1 downwards."""
        return left_after(at - self.at, half_life_seconds)

    def in_session(self, session: str) -> NDArray[np.bool_]:
        """Which belong to it; none where the session is not known."""
        mark = session_mark(session)
        belong: NDArray[np.bool_] = (self.sessions == mark) & (mark != 0)
        return belong


@dataclass(frozen=True, eq=False)
class Profile:
    """All lines, newest first; `product_ids` in alphabetical order are what lines refer to."""

    product_ids: tuple[str, ...]
    records: NDArray[Any]

    @cached_property
    def passed_over(self) -> Deeds:
        return self._deeds(self.records["action"] == Deed.PASSED_OVER)

    @cached_property
    def bought(self) -> dict[str, float]:
        """When each was bought last."""
        lines = self.records[self.records["action"] == Deed.PURCHASE][::-1]
        places, times = lines["product"].tolist(), lines["at"].tolist()
        return {self.product_ids[place]: at for place, at in zip(places, times, strict=True)}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """What this shopper wants to see no more."""
        places = self.records["product"][self.records["action"] == Deed.HIDE]
        return frozenset(self.product_ids[place] for place in places.tolist())

    def recent(self, most: int) -> Deeds:
        """The newest things done, whatever was passed over left out."""
        done = self.records["action"] != Deed.PASSED_OVER
        return self._deeds(done & (np.cumsum(done) <= most))

    def after(self, moment: float) -> "Profile":
        """Without all that is not later."""
        return _profile(self.product_ids, self.records[self.records["at"] > moment])

    def _deeds(self, which: NDArray[np.bool_]) -> Deeds:
        lines = self.records[which]
        return Deeds(
            [self.product_ids[place] for place in lines["product"].tolist()],
            lines["action"],
            lines["at"],
            lines["session"],
            lines["list"],
            lines["position"],
            lines["dwell"],
        )


EMPTY_PROFILE = Profile((), np.empty(0, _RECORD))


def session_mark(session: str) -> int:
    """0 for no session."""
    return _mark(session) if session else 0


def list_mark(query_id: str) -> int:
    return _mark(query_id)


def occurrences_of(one: JoinedList) -> list[Occurrence]:
    """What a list says of its shopper; nothing where it is suspect."""
    if one.suspect:
        return []
    places = {product.product_id: product.position for product in reversed(one.shown)}
    dwell: dict[str, float] = {}
    for action in one.actions:
        if action.dwell_seconds is not None:
            dwell[action.product_id] = max(action.dwell_seconds, dwell.get(action.product_id, 0.0))
    actions = first_actions(one)
    done = [
        Occurrence(
            action.product_id,
            _DEEDS[action.action],
            action.at,
            places.get(action.product_id, 0),
            dwell.get(action.product_id, float("nan")),
        )
        for action in actions
        if action.action in _DEEDS
    ]
    touched = {action.product_id for action in actions}
    passed = [
        Occurrence(product_id, Deed.PASSED_OVER, at, position)
        for product_id, (at, position) in seen_products(one).items()
        if product_id not in touched
    ]
    return done + passed


def with_list(
    profile: Profile, query_id: str, session: str, occurrences: Sequence[Occurrence], settings: ProfileSettings
) -> Profile:
    """The profile with this of a list, in place of all that the list said before; the newest are kept."""
    mark = list_mark(query_id)
    old = profile.records[profile.records["list"] != mark]
    ids = sorted({*profile.product_ids, *(one.product_id for one in occurrences)})
    places = {product_id: place for place, product_id in enumerate(ids)}
    old["product"] = np.array([places[product_id] for product_id in profile.product_ids], np.uint16)[old["product"]]
    in_session = session_mark(session)
    new = np.array(
        [
            (
                one.at,
                mark,
                in_session,
                one.dwell_seconds,
                min(one.position, _FURTHEST),
                places[one.product_id],
                one.deed,
            )
            for one in occurrences
        ],
        _RECORD,
    )
    records = np.concatenate([old, new])
    order = np.lexsort((records["action"], records["product"], records["position"], records["list"], -records["at"]))
    records = records[order]
    return _profile(ids, records[_kept(records["action"], settings)])


def encode_profile(profile: Profile) -> bytes:
    return _HEAD.pack(_VERSION, len(profile.records)) + profile.records.tobytes() + orjson.dumps(profile.product_ids)


def decode_profile(state: bytes | None) -> Profile:
    """An empty one where there is no state. Raises ValueError for a state of a later Millrace."""
    if state is None:
        return EMPTY_PROFILE
    version, lines = _HEAD.unpack_from(state)
    if version != _VERSION:
        raise ValueError(f"a profile of version {version} is not known here")
    records = np.frombuffer(state, _RECORD, lines, _HEAD.size)
    return Profile(tuple(orjson.loads(state[_HEAD.size + records.nbytes :])), records)


def _kept(actions: NDArray[np.uint8], settings: ProfileSettings) -> NDArray[np.bool_]:
    passed = actions == Deed.PASSED_OVER
    lasting = (actions == Deed.PURCHASE) | (actions == Deed.HIDE)
    kept: NDArray[np.bool_] = (
        (passed & (np.cumsum(passed) <= settings.passed_over_items))
        | (~passed & (np.cumsum(~passed) <= settings.recent_items))
        | (lasting & (np.cumsum(lasting) <= settings.lasting_items))
    )
    return kept


def _profile(ids: Sequence[str], records: NDArray[Any]) -> Profile:
    """Without the ids that no line refers to."""
    used, places = np.unique(records["product"], return_inverse=True)
    records = records.copy()
    records["product"] = places
    return Profile(tuple(ids[place] for place in used.tolist()), records)


def _mark(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
