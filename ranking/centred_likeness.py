"""How like products are by what sets them apart from all others."""

import numpy as np
from numpy.typing import NDArray

from ranking.rankers import Numbers


def centred_likeness(ours: Numbers, theirs: Numbers, mean: NDArray[np.float64]) -> Numbers:
    """Ours x theirs: the cosines of what is left of each vector without the mean; 0 for vectors of zeros.

    The vectors themselves are left as they are: one product of all pairs is put right by what each has of the mean.
    """
    middle = mean.astype(np.float32)
    of_ours, of_theirs = ours @ middle, theirs @ middle
    squared = float(middle @ middle)
    cosines: Numbers = ours @ theirs.T
    cosines -= (of_ours - squared)[:, np.newaxis]
    cosines -= of_theirs
    cosines *= _inverse_lengths(ours, of_ours, squared)[:, np.newaxis]
    cosines *= _inverse_lengths(theirs, of_theirs, squared)
    return cosines


def _inverse_lengths(vectors: Numbers, of_mean: Numbers, squared_mean: float) -> Numbers:
    """Of the vectors without the mean; 0 for those of zeros."""
    squared = np.einsum("ij,ij->i", vectors, vectors)
    left = np.maximum(squared - 2 * of_mean + squared_mean, 1e-12)
    inverse: Numbers = (squared > 0) / np.sqrt(left)
    return inverse
