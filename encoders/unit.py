"""The check that every vector passes before it leaves an encoder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import UnusableVector, Vectors

_SMALLEST_NORM = 1e-12


def to_unit_vectors(raw: NDArray[Any], release: str) -> Vectors:
    """Rows of shape (n, dimension), any float type, as float32 of L2 norm 1. Raises UnusableVector with bad rows."""
    wide = raw.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1)
    unusable = np.flatnonzero(~(np.isfinite(norms) & (norms > _SMALLEST_NORM)))
    if unusable.size:
        raise UnusableVector(unusable.tolist(), release)
    return np.asarray(wide / norms[:, np.newaxis], dtype=np.float32)


def readable(text: str) -> str:
    """The text without lone surrogates, which JSON can carry and no tokenizer reads."""
    return text.encode("utf-8", "replace").decode("utf-8")


def by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Positions in batches of similar length, longest first, so that little is padded and memory peaks at once."""
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
