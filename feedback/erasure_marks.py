"""That a shopper has been erased, and what of a list came before."""

import math
import struct
from dataclasses import dataclass
from typing import Any

from feedback.settings import AHEAD_SECONDS
from topics.feedback import JoinedList

_MARK = struct.Struct("<Bdd")  # version, times
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """When a shopper was erased last, and the last erasure after which nothing that was held by then is left anywhere;
    before all time where that never happened.
    """

    erased_at: float = -math.inf
    swept_at: float = -math.inf


@dataclass(frozen=True, slots=True)
class Span:
    """Later than `after`, and not later than `until`."""

    after: float
    until: float = math.inf

    def has(self, at: Any) -> Any:
        """A bool for a time, an array of them for an array."""
        return (self.after < at) & (at <= self.until)


def after_erasure(erased_at: float, now: float) -> Span:
    """What an erasure leaves that runs now: by a clock that is a little ahead, or years, the rest may be of before."""
    return Span(erased_at + AHEAD_SECONDS, now)


def encode_mark(mark: Mark) -> bytes:
    return _MARK.pack(_VERSION, mark.erased_at, mark.swept_at)


def decode_mark(state: bytes | None) -> Mark:
    """Raises ValueError for a mark of another version."""
    if state is None:
        return Mark()
    if state[0] != _VERSION:
        raise ValueError(f"an erasure mark of version {state[0]} is not known here")
    _, erased_at, swept_at = _MARK.unpack(state)
    return Mark(erased_at, swept_at)


def happened_between(one: JoinedList, after: float, until: float) -> JoinedList:
    """Only what of the list is later than `after` and not later than `until`; what was shown may lose its time."""
    actions = tuple(action for action in one.actions if after < action.at <= until)
    if one.at is not None and not after < one.at <= until:
        return one.model_copy(update={"at": None, "text": "", "actions": actions})
    return one if len(actions) == len(one.actions) else one.model_copy(update={"actions": actions})
