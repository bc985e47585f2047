"""What a shopper made of products, in columns: what was acted upon, and what was seen and passed over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feedback.decay import Floats, left_after
from feedback.profiles import Deed, Deeds, Profile
from feedback.reading import StateReader
from feedback.statistics import Counter

_TASTE = np.array([Deed.CLICK, Deed.ADD_TO_CART, Deed.PURCHASE, Deed.WATCH])
_LEAST_CHANCE, _GREATEST_CHANCE = 0.01, 0.99


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One line for each product that was acted upon, then for each that was passed over, newest first in both.

    `liked` is 1 or 0; `surprise` is `liked` minus the chance that was to be expected of anybody: what the line says
    of this shopper's taste.
    """

    product_ids: Sequence[str]
    liked: Floats
    surprise: Floats
    at: Floats
    in_session: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.product_ids)

    def weights(self, at: float, half_life_seconds: float) -> Floats:
        """How much each line still counts at that time."""
        return left_after(at - self.at, half_life_seconds)


def read_history(profile: Profile, acted: Deeds, reader: StateReader, session: str, at: float) -> History:
    """Of what the profile knows. Reads the store once, where there is anything. Raises StoreUnavailable."""
    product_ids, liked, times, in_session = _lines(profile, acted, session)
    if not product_ids:
        return History((), liked, liked, times, in_session)
    chances = reader.read("", product_ids, "", at).rates(Counter.CLICKS)
    return History(product_ids, liked, _surprise(liked, chances), times, in_session)


def _lines(profile: Profile, acted: Deeds, session: str) -> tuple[list[str], Floats, Floats, NDArray[np.bool_]]:
    """Of several deeds with one product the newest counts; what was acted upon later was not passed over."""
    tasteful = np.flatnonzero(np.isin(acted.deeds, _TASTE))
    first = {acted.product_ids[line]: line for line in tasteful[::-1].tolist()}
    chosen = sorted(first.values())
    passed = profile.passed_over
    skipped = [line for line, product_id in enumerate(passed.product_ids) if product_id not in first]
    product_ids = [*(acted.product_ids[line] for line in chosen), *(passed.product_ids[line] for line in skipped)]
    liked = np.repeat([1.0, 0.0], [len(chosen), len(skipped)])
    at = np.concatenate([acted.at[chosen], passed.at[skipped]])
    in_session = np.concatenate([acted.in_session(session)[chosen], passed.in_session(session)[skipped]])
    return product_ids, liked, at, in_session


def _surprise(liked: Floats, chances: Floats) -> Floats:
    """A shopper who acts upon much, or upon little, is not surprising with every product: chances are scaled."""
    expected = chances * (liked.mean() / chances.mean()) if chances.mean() > 0 else chances
    surprise: Floats = liked - np.clip(expected, _LEAST_CHANCE, _GREATEST_CHANCE)
    return surprise
