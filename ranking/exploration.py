"""A small share of lists whose first places are drawn by lot, with the chance of what came out."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """`order[i]` is which of a list's candidates stands at place i, `propensities[i]` the chance that it does."""

    order: NDArray[np.intp]
    propensities: NDArray[np.float64]


def drawn(length: int, places: int, share: float, seed: str) -> Draw:
    """With the chance `share` the first `places` are in an order drawn uniformly, else all stay as they are.

    The same seed gives the same draw. So a product of the first places stays with the chance
    1 - share + share / places, and comes to each other one of them with share / places; those behind always stay.
    """
    order = np.arange(length)
    propensities = np.ones(length)
    first = min(places, length)
    if share <= 0.0 or first < 2:
        return Draw(order, propensities)
    lot = np.random.default_rng(int.from_bytes(blake2b(seed.encode(), digest_size=8).digest()))
    if lot.random() < share:
        order[:first] = lot.permutation(first)
    stayed = order[:first] == np.arange(first)
    propensities[:first] = share / first + (1.0 - share) * stayed
    return Draw(order, propensities)
