"""What a shopper made of products, in columns: what was acted upon, and what was seen and passed over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feedback.decay import Floats, Integers, left_after
from feedback.profiles import Deed, Profile, session_mark

_ACTS = np.zeros(256, np.bool_)
_ACTS[[Deed.CLICK, Deed.ADD_TO_CART, Deed.PURCHASE, Deed.WATCH]] = True
_LEAST_RATE = 0.01
_STEPS = 12  # of Newton's method
_LONGEST_STEP = 1.5
_FREEDOM_BOUND = 6.0
_SETTLED = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A line for each product that was acted upon in a list, and for each that was passed over there, newest first.

    `liked` is 1 or 0; `lists` are numbers from 0 on.
    """

    product_ids: Sequence[str]
    liked: Floats
    lists: Integers
    at: Floats
    in_session: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.product_ids)

    def weights(self, at: float, half_life_seconds: float) -> Floats:
        """How much each line still counts at that time."""
        return left_after(at - self.at, half_life_seconds)


def history_of(profile: Profile, most_done: int, session: str) -> History:
    """Of the newest `most_done` things done, whatever they were, and of all that was passed over."""
    records = profile.records
    done = records["action"] != Deed.PASSED_OVER
    acts = _ACTS[records["action"]] & (np.cumsum(done) <= most_done)
    lines = records[_first_acts(records, acts) | ~done]
    mark = session_mark(session)
    return History(
        [profile.product_ids[place] for place in lines["product"].tolist()],
        (lines["action"] != Deed.PASSED_OVER).astype(np.float64),
        _numbered(lines["list"].tolist()),
        lines["at"],
        (lines["session"] == mark) & (mark != 0),
    )


def surprises(liked: Floats, lists: Integers, rates: Floats) -> Floats:
    """For each line `liked` minus the chance that was to be expected of anybody who acts upon as much of that list:
    what the line says of this shopper's taste. A list of which all or nothing was acted upon says nothing.

    The chances are logistic in the log odds of `rates` plus one number for each list, such that they add up to what
    was acted upon there (a conditional logit as in Rasch, 1960, with known items).
    """
    rates = np.clip(rates, _LEAST_RATE, 1 - _LEAST_RATE)
    odds = np.log(rates / (1 - rates))
    wanted = np.bincount(lists, liked)
    freedom = np.zeros(len(wanted))
    for _ in range(_STEPS):
        chances = _logistic(odds + freedom[lists])
        slope = np.bincount(lists, chances * (1 - chances))
        step = (wanted - np.bincount(lists, chances)) / np.maximum(slope, 1e-3)
        before = freedom
        freedom = _bounded(before + _bounded(step, _LONGEST_STEP), _FREEDOM_BOUND)
        if np.abs(freedom - before).max(initial=0.0) < _SETTLED:
            break
    tells = (wanted > 0) & (wanted < np.bincount(lists))
    surprise: Floats = np.where(tells[lists], liked - _logistic(odds + freedom[lists]), 0.0)
    return surprise


def _first_acts(records: NDArray[np.void], acts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of several acts upon one product in one list the newest, which is the first."""
    places = np.flatnonzero(acts)[::-1].tolist()
    lines = records[places]
    newest = dict(zip(zip(lines["product"].tolist(), lines["list"].tolist(), strict=True), places, strict=True))
    first = np.zeros(len(records), np.bool_)
    first[list(newest.values())] = True
    return first


def _numbered(marks: Sequence[int]) -> Integers:
    """Numbers from 0 on, equal ones for equal marks."""
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(mark, len(numbers)) for mark in marks], np.int64)


def _bounded(numbers: Floats, bound: float) -> Floats:
    return np.minimum(np.maximum(numbers, -bound), bound)


def _logistic(odds: Floats) -> Floats:
    chances: Floats = 1 / (1 + np.exp(-odds))
    return chances
