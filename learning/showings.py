"""What was shown where, and with which chance: one element a showing."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from learning.estimates import Floats

Integers: TypeAlias = NDArray[np.int64]


class PropensityError(Exception):
    """A log that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Showings:
    """One element a showing, in the order of `times` (seconds). `items` and `places` count from 0, `clicks` are 0 or 1.

    `propensities`: the logged chances that the policy showed this item at this place. Raises PropensityError.
    """

    times: Floats
    items: Integers
    places: Integers
    clicks: Integers
    propensities: Floats
    item_count: int

    def __post_init__(self) -> None:
        columns = (self.times, self.items, self.places, self.clicks, self.propensities)
        if len({len(column) for column in columns}) > 1 or not len(self.times):
            raise PropensityError("the columns of a log are empty or of different lengths")
        if (np.diff(self.times) < 0).any():
            raise PropensityError("the showings are not in the order of their times")
        if not ((self.items >= 0) & (self.items < self.item_count) & (self.places >= 0)).all():
            raise PropensityError(f"an item is not one of the {self.item_count}, or a place is below the first")
        if len(np.unique(self.places)) <= self.places.max():
            raise PropensityError("nothing was shown at one of the places before the last")
        if not ((self.propensities > 0) & (self.propensities <= 1) & np.isin(self.clicks, (0, 1))).all():
            raise PropensityError("a propensity is not above 0 and up to 1, or a click is neither 0 nor 1")
