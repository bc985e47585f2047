"""What one shopper did lately: with which products, when, in which session; and what was seen and passed over."""

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from hashlib import blake2b
from itertools import compress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from feedback.decay import Floats, left_after
from feedback.erasure_marks import Span

_VERSION = 1
_HEAD = struct.Struct("<BI")  # version, number of records
RECORD = np.dtype(
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


class Deed(IntEnum):
    """What was done with a product. PASSED_OVER: it was seen in a list, and nothing was done with it there;
    PASSED_BESIDE: that, near to what was acted upon there.
    """

    PASSED_OVER = 0
    CLICK = 1
    ADD_TO_CART = 2
    PURCHASE = 3
    HIDE = 4
    VIEW = 5
    WATCH = 6
    DWELL = 7
    PASSED_BESIDE = 8


ACTED_UPON = frozenset({Deed.CLICK, Deed.ADD_TO_CART, Deed.PURCHASE, Deed.WATCH})
PASSED = frozenset({Deed.PASSED_OVER, Deed.PASSED_BESIDE})
KNOWN_DEEDS = tuple(deed.name.lower() for deed in Deed if deed not in PASSED)  # as events name them


def lookup(deeds: Collection[Deed]) -> NDArray[np.bool_]:
    """Of each number of a deed, whether it is one of these."""
    return np.isin(np.arange(256), list(deeds))


_IS_PASSED = lookup(PASSED)


_PURCHASE, _HIDE = np.uint8(Deed.PURCHASE), np.uint8(Deed.HIDE)  # numpy compares with them at once


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
    """All lines, newest first, and the ids that they refer to, each once."""

    product_ids: tuple[str, ...]
    records: NDArray[Any]

    @cached_property
    def passed_over(self) -> Deeds:
        return self._deeds(_IS_PASSED[self.records["action"]])

    @cached_property
    def bought(self) -> dict[str, float]:
        """When each was bought last."""
        lines = (self.records["action"] == _PURCHASE).nonzero()[0][::-1]
        if not len(lines):
            return {}
        places, times = self.records["product"][lines].tolist(), self.records["at"][lines].tolist()
        return {self.product_ids[place]: at for place, at in zip(places, times, strict=True)}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """What this shopper wants to see no more."""
        lines = (self.records["action"] == _HIDE).nonzero()[0]
        if not len(lines):
            return frozenset()
        return frozenset(self.product_ids[place] for place in self.records["product"][lines].tolist())

    def recent(self, most: int) -> Deeds:
        """The newest things done, whatever was passed over left out."""
        done = ~_IS_PASSED[self.records["action"]]
        return self._deeds(done & (np.cumsum(done) <= most))

    def during(self, span: Span) -> "Profile":
        return profile_of(self.product_ids, self.records[span.has(self.records["at"])])

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


EMPTY_PROFILE = Profile((), np.empty(0, RECORD))


def session_mark(session: str) -> int:
    """0 for no session."""
    return _mark(session) if session else 0


def list_mark(query_id: str) -> int:
    return _mark(query_id)


def encode_profile(profile: Profile) -> bytes:
    return _HEAD.pack(_VERSION, len(profile.records)) + profile.records.tobytes() + orjson.dumps(profile.product_ids)


def decode_profile(state: bytes | None) -> Profile:
    """An empty one where there is no state. Raises ValueError for a state of another version."""
    if state is None:
        return EMPTY_PROFILE
    version, lines = _HEAD.unpack_from(state)
    if version != _VERSION:
        raise ValueError(f"a profile of version {version} is not known here")
    records = np.frombuffer(state, RECORD, lines, _HEAD.size)
    return Profile(tuple(orjson.loads(state[_HEAD.size + records.nbytes :])), records)


def profile_of(ids: Sequence[str], records: NDArray[Any]) -> Profile:
    """Without the ids that no line refers to."""
    used = np.zeros(len(ids), np.bool_)
    used[records["product"]] = True
    if not used.all():
        records = records.copy()
        records["product"] = (np.cumsum(used) - 1)[records["product"]]
    return Profile(tuple(compress(ids, used.tolist())), records)


def _mark(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
