"""What a shopper made of products, in columns: what was acted upon, and what was seen and passed over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feedback.decay import Floats, Integers, left_after
from feedback.profiles import Deed, Deeds, Profile
from feedback.reading import StateReader
from feedback.statistics import Counter

_TASTE = np.array([Deed.CLICK, Deed.ADD_TO_CART, Deed.PURCHASE, Deed.WATCH])
_LEAST_RATE = 0.01
_STEPS = 12  # of Newton's method
_LONGEST_STEP = 1.5
_FREEDOM_BOUND = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One line for each product that was acted upon, then for each that was passed over, newest first in both.

    `liked` is 1 or 0; `surprise` is `liked` minus the chance that was to be expected of anybody who acts upon as much
    of that list: what the line says of this shopper's taste. A list of which all or nothing was acted upon says
    nothing. `freedom` is how freely the shopper acts, in log odds beside the shop's rates; NaN where that is not known.
    """

    product_ids: Sequence[str]
    liked: Floats
    surprise: Floats
    at: Floats
    in_session: NDArray[np.bool_]
    freedom: float

    def __len__(self) -> int:
        return len(self.product_ids)

    def weights(self, at: float, half_life_seconds: float) -> Floats:
        """How much each line still counts at that time."""
        return left_after(at - self.at, half_life_seconds)


def read_history(profile: Profile, acted: Deeds, reader: StateReader, session: str, at: float) -> History:
    """Of what the profile knows. Reads the store once, where there is anything. Raises StoreUnavailable."""
    product_ids, liked, lists, times, in_session = _lines(profile, acted, session)
    if not product_ids:
        return History((), liked, liked, times, in_session, np.nan)
    rates = reader.read("", product_ids, "", at).rates(Counter.CLICKS)
    surprise, freedoms = surprises(liked, lists, rates)
    return History(product_ids, liked, surprise, times, in_session, float(freedoms.mean()))


def surprises(liked: Floats, lists: Integers, rates: Floats) -> tuple[Floats, Floats]:
    """For each line `liked` minus its chance, and for each list how freely was acted in it.

    The chances are logistic in the log odds of `rates` plus one number for each list, such that they add up to what
    was acted upon there (a conditional logit as in Rasch, 1960, with known items). `lists` are numbers from 0 on.
    """
    rates = np.clip(rates, _LEAST_RATE, 1 - _LEAST_RATE)
    odds = np.log(rates / (1 - rates))
    wanted = np.bincount(lists, liked)
    freedom = np.zeros(len(wanted))
    for _ in range(_STEPS):
        chances = _logistic(odds + freedom[lists])
        slope = np.bincount(lists, chances * (1 - chances))
        step = (wanted - np.bincount(lists, chances)) / np.maximum(slope, 1e-3)
        freedom = np.clip(freedom + np.clip(step, -_LONGEST_STEP, _LONGEST_STEP), -_FREEDOM_BOUND, _FREEDOM_BOUND)
    tells = (wanted > 0) & (wanted < np.bincount(lists))
    surprise: Floats = np.where(tells[lists], liked - _logistic(odds + freedom[lists]), 0.0)
    return surprise, freedom


def _lines(
    profile: Profile, acted: Deeds, session: str
) -> tuple[list[str], Floats, Integers, Floats, NDArray[np.bool_]]:
    """Of several deeds with one product in one list the newest counts."""
    tasteful = np.flatnonzero(np.isin(acted.deeds, _TASTE))
    newest = {(acted.product_ids[line], int(acted.lists[line])): line for line in tasteful[::-1].tolist()}
    chosen = sorted(newest.values())
    passed = profile.passed_over
    product_ids = [*(acted.product_ids[line] for line in chosen), *passed.product_ids]
    liked = np.repeat([1.0, 0.0], [len(chosen), len(passed.product_ids)])
    _, lists = np.unique(np.concatenate([acted.lists[chosen], passed.lists]), return_inverse=True)
    at = np.concatenate([acted.at[chosen], passed.at])
    in_session = np.concatenate([acted.in_session(session)[chosen], passed.in_session(session)])
    return product_ids, liked, lists, at, in_session


def _logistic(odds: Floats) -> Floats:
    chances: Floats = 1 / (1 + np.exp(-odds))
    return chances
