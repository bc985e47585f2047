"""That a shopper has been erased, and what of a list came before."""

import math
import struct

from topics.feedback import JoinedList

_MARK = struct.Struct("<Bd")  # version, time
_VERSION = 1


def encode_mark(erased_at: float) -> bytes:
    return _MARK.pack(_VERSION, erased_at)


def decode_mark(state: bytes | None) -> float:
    """When the shopper was erased last; before all time where that never happened. Raises ValueError for a mark of a
    later Millrace.
    """
    if state is None:
        return -math.inf
    version, erased_at = _MARK.unpack(state)
    if version != _VERSION:
        raise ValueError(f"an erasure mark of version {version} is not known here")
    return float(erased_at)


def happened_between(one: JoinedList, after: float, until: float) -> JoinedList:
    """Only what of the list is later than `after` and not later than `until`; what was shown may lose its time."""
    actions = tuple(action for action in one.actions if after < action.at <= until)
    if one.at is not None and not after < one.at <= until:
        return one.model_copy(update={"at": None, "text": "", "actions": actions})
    return one if len(actions) == len(one.actions) else one.model_copy(update={"actions": actions})
