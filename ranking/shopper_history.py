"""What a shopper made of products, in columns: what was acted upon, and what was seen and passed over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from feedback.decay import Floats, Integers, left_after
from feedback.profiles import ACTED_UPON, PASSED, Deed, Profile, lookup, session_mark

_LIKED = lookup(ACTED_UPON)
_TELLS = lookup(ACTED_UPON | PASSED)
_TELLS_FIRST = lookup(ACTED_UPON | {Deed.PASSED_BESIDE})
_LEAST_RATE = 0.01
_STEPS = 12  # of Newton's method
_LONGEST_STEP = 1.5
_FREEDOM_BOUND = 6.0
_SETTLED = 1e-5  # what such a step leaves to do is about its square


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


def history_of(profile: Profile, most: int, session: str) -> History:
    """Of the newest `most` products that were acted upon or passed over near to those, then of others that were passed
    over, as far as there is room; of several acts upon one in one list the newest.
    """
    records = profile.records
    lines = _telling(records["action"], most)
    lines = lines[_first_of_each(records["product"][lines].tolist(), records["list"][lines].tolist())]
    mark = session_mark(session)
    return History(
        [profile.product_ids[place] for place in records["product"][lines].tolist()],
        _LIKED[records["action"][lines]].astype(np.float64),
        _numbered(records["list"][lines].tolist()),
        records["at"][lines],
        (records["session"][lines] == mark) & (mark != 0),
    )


def surprises(liked: Floats, lists: Integers, rates: Floats) -> Floats:
    """For each line `liked` minus the chance that was to be expected of anybody who acts upon as much of that list:
    what the line says of this shopper's taste. A list of which all or nothing was acted upon says nothing.

    The chances are logistic in the log odds of `rates` plus one number for each list, such that they add up to what
    was acted upon there (a conditional logit as in Rasch, 1960, with known items).
    """
    odds = logit(np.minimum(np.maximum(rates, _LEAST_RATE), 1 - _LEAST_RATE))
    wanted, lengths = np.bincount(lists, liked), np.bincount(lists)
    tells = (wanted > 0) & (wanted < lengths)
    share = (wanted + 0.5) / (lengths + 1)
    freedom = _bounded(logit(share) - np.bincount(lists, odds) / np.maximum(lengths, 1), _FREEDOM_BOUND) * tells
    for _ in range(_STEPS):
        chances = expit(odds + freedom[lists])
        slope = np.bincount(lists, chances * (1 - chances))
        step = (wanted - np.bincount(lists, chances)) / np.maximum(slope, 1e-3)
        before = freedom
        freedom = _bounded(before + _bounded(step * tells, _LONGEST_STEP), _FREEDOM_BOUND)
        if np.abs(freedom - before).max(initial=0.0) < _SETTLED:
            break
    surprise: Floats = np.where(tells[lists], liked - expit(odds + freedom[lists]), 0.0)
    return surprise


def _telling(actions: NDArray[np.uint8], most: int) -> Integers:
    """Places of the lines, newest first."""
    lines = _TELLS[actions].nonzero()[0]
    if len(lines) <= most:
        return lines
    first = _TELLS_FIRST[actions[lines]]
    chosen = np.concatenate([lines[first], lines[~first]])[:most]
    chosen.sort()
    return chosen


def _first_of_each(products: Sequence[int], lists: Sequence[int]) -> list[int] | slice:
    """The places of the lines that are the first of a product in a list: most often all of them."""
    if len(set(products)) == len(products):
        return slice(None)
    first: dict[tuple[int, int], int] = {}
    for place, line in enumerate(zip(products, lists, strict=True)):
        first.setdefault(line, place)
    return list(first.values())


def _numbered(marks: Sequence[int]) -> Integers:
    """Numbers from 0 on, equal ones for equal marks."""
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(mark, len(numbers)) for mark in marks], np.int64)


def _bounded(numbers: Floats, bound: float) -> Floats:
    return np.minimum(np.maximum(numbers, -bound), bound)
