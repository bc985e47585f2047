"""Which products are acted upon in the same session of a shopper."""

import struct
from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from feedback.decay import Floats
from feedback.profiles import Deed, Profile, lookup

_VERSION = 1
_HEAD = struct.Struct("<BdI")  # version, as of when, number of others
_IS_ACT = lookup({Deed.CLICK, Deed.ADD_TO_CART, Deed.PURCHASE})
_NOTHING = 1e-9  # what rounding leaves of a count that was taken back


class CoClick(NamedTuple):
    """`other` was acted upon in the session of an action upon `product_id`; `amount` is -1 where it is taken back."""

    product_id: str
    other: str
    at: float
    amount: float


class CoClicks(NamedTuple):
    """How often `others`, the strongest first, were acted upon beside a product."""

    others: Sequence[str]
    counts: Floats

    def by_product(self) -> dict[str, float]:
        return dict(zip(self.others, self.counts.tolist(), strict=True))


class _Act(NamedTuple):
    product_id: str
    deed: int
    session: int
    at: float
    list: int


def co_clicks_between(before: Profile, after: Profile, mark: int) -> list[CoClick]:
    """What the list of that mark changes, for both products of each pair of actions; the later one says when."""
    if not (_acted(before, mark) or _acted(after, mark)):
        return []
    sessions = _sessions(before, mark) | _sessions(after, mark)
    old, new = _acts(before, sessions), _acts(after, sessions)
    gone = [act for act in old - new if act.list == mark]
    came = list(new - old)
    stayed = list(old & new)
    return [*_pairs(came, stayed, 1.0), *_pairs(gone, stayed, -1.0)]


def session_partners(profile: Profile, mark: int, session: int) -> set[str]:
    """The products whose co-clicks a change of that list in that session may touch."""
    return {act.product_id for act in _acts(profile, _sessions(profile, mark) | ({session} - {0}))}


def added_co_clicks(
    state: bytes | None, changes: Iterable[CoClick], half_life_seconds: float, most: int
) -> bytes | None:
    """The state of one product after them, with the strongest `most` others; None where none is left."""
    as_of, others, counts = _decoded(state)
    sums = dict(zip(others, counts.tolist(), strict=True))
    for change in changes:
        if change.at > as_of:
            left = 2.0 ** ((as_of - change.at) / half_life_seconds)
            sums = {other: value * left for other, value in sums.items()}
            as_of = change.at
        value = change.amount * 2.0 ** ((change.at - as_of) / half_life_seconds)
        sums[change.other] = sums.get(change.other, 0.0) + value
    strongest = nlargest(most, ((value, other) for other, value in sums.items() if value > _NOTHING))
    if not strongest:
        return None
    values = np.array([value for value, _ in strongest], "<f8").tobytes()
    return _HEAD.pack(_VERSION, as_of, len(strongest)) + values + orjson.dumps([other for _, other in strongest])


def co_clicks(state: bytes | None, at: float, half_life_seconds: float) -> CoClicks:
    """Of one product, faded as of `at`."""
    as_of, others, counts = _decoded(state)
    return CoClicks(others, counts * 2.0 ** (-max(at - as_of, 0.0) / half_life_seconds))


def _decoded(state: bytes | None) -> tuple[float, Sequence[str], Floats]:
    """As of when, the others, the strongest first, and their counts. Raises ValueError for another version."""
    if state is None:
        return 0.0, (), np.zeros(0)
    version, as_of, number = _HEAD.unpack_from(state)
    if version != _VERSION:
        raise ValueError(f"co-clicks of version {version} are not known here")
    counts = np.frombuffer(state, "<f8", number, _HEAD.size)
    return as_of, orjson.loads(state[_HEAD.size + counts.nbytes :]), counts


def _acted(profile: Profile, mark: int) -> bool:
    records = profile.records
    return bool(_IS_ACT[records["action"][records["list"] == mark]].any())


def _sessions(profile: Profile, mark: int) -> set[int]:
    records = profile.records
    return set(records["session"][records["list"] == mark].tolist()) - {0}


def _acts(profile: Profile, sessions: set[int]) -> set[_Act]:
    records: NDArray[Any] = profile.records
    in_session = np.zeros(len(records), np.bool_)
    for session in sessions:
        in_session |= records["session"] == session
    lines = records[in_session & _IS_ACT[records["action"]]]
    names = [profile.product_ids[place] for place in lines["product"].tolist()]
    columns = (lines[name].tolist() for name in ("action", "session", "at", "list"))
    return {_Act(*values) for values in zip(names, *columns, strict=True)}


def _pairs(changed: list[_Act], stayed: list[_Act], amount: float) -> list[CoClick]:
    pairs = [(one, other) for place, one in enumerate(changed) for other in [*changed[:place], *stayed]]
    return [
        CoClick(first.product_id, second.product_id, max(first.at, second.at), amount)
        for one, other in pairs
        if one.session == other.session and one.product_id != other.product_id
        for first, second in ((one, other), (other, one))
    ]
