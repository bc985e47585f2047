"""Pictures of all looks as vectors, and what is right among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Look, all_looks
from encoders.base import Vectors

Positions: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Gallery:
    """Vectors of shape (looks, pictures of each, dimension) and the attributes of all pictures in the same order."""

    vectors: Vectors
    attributes: NDArray[np.intp]

    @property
    def first(self) -> Vectors:
        return self.vectors[:, 0]

    @property
    def flat(self) -> Vectors:
        return self.vectors.reshape(-1, self.vectors.shape[-1])

    @property
    def per_look(self) -> int:
        return int(self.vectors.shape[1])


def attributes_of(look: Look) -> tuple[int, int, int]:
    """Positions of kind, colour and pattern in KINDS, COLOURS and PATTERNS."""
    return KINDS.index(look.kind), COLOURS.index(look.colour), PATTERNS.index(look.pattern)


def positions(looks: Sequence[Look]) -> Positions:
    """Of looks in `all_looks()`."""
    places = {look: position for position, look in enumerate(all_looks())}
    return np.array([places[look] for look in looks])
