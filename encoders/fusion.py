"""One vector out of several of one product or one query, as a setting of how."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from encoders.base import UnusableVector
from encoders.unit import to_unit_vectors

Vector: TypeAlias = NDArray[np.float32]

_OPPOSITE = 1e-3  # of the parts' lengths: a shorter sum has no direction worth following


class Fusion(Protocol):
    """Unit vectors by modality to one unit vector. A learned fusion holds its weights and names them in `release`."""

    @property
    def release(self) -> str:
        """Equal releases fuse equal vectors to equal vectors."""

    def fuse(self, vectors: Mapping[str, Vector]) -> Vector:
        """Float32 of shape (dimension,) and L2 norm 1. Raises UnusableVector where the parts cancel each other out."""


@dataclass(frozen=True, slots=True)
class WeightedFusion:
    """The weighted sum, for vectors of one space: a picture and words of one CLIP. A negative weight takes away.

    A modality without a weight, or without a vector, adds nothing.
    """

    weights: Mapping[str, float]

    @property
    def release(self) -> str:
        return f"weighted({_listed(self.weights)})"

    def fuse(self, vectors: Mapping[str, Vector]) -> Vector:
        parts = [weight * vectors[name] for name, weight in self.weights.items() if name in vectors]
        total = np.sum(parts, axis=0) if parts else np.zeros(1)
        if np.linalg.norm(total) <= _OPPOSITE * sum(np.linalg.norm(part) for part in parts):
            raise UnusableVector([0], self.release)
        return _unit(total, self.release)


@dataclass(frozen=True, slots=True)
class ConcatFusion:
    """The vectors side by side, for different spaces: the inner product is the weighted mean of the inner products.

    `dimensions` holds each modality's, in the order in which they are laid; a modality without a vector is zeros.
    """

    dimensions: Mapping[str, int]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if self.weights.keys() != self.dimensions.keys() or any(weight < 0 for weight in self.weights.values()):
            raise ValueError(f"each of {', '.join(self.dimensions)} needs a weight of at least 0, not {self.weights}")

    @property
    def release(self) -> str:
        return f"concat({_listed(self.dimensions)}; {_listed(self.weights)})"

    def fuse(self, vectors: Mapping[str, Vector]) -> Vector:
        parts = [
            math.sqrt(self.weights[name]) * vectors.get(name, np.zeros(dimension, dtype=np.float32))
            for name, dimension in self.dimensions.items()
        ]
        return _unit(np.concatenate(parts), self.release)


def _unit(vector: NDArray[Any], release: str) -> Vector:
    unit: Vector = to_unit_vectors(vector[np.newaxis, :], release)[0]
    return unit


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())
