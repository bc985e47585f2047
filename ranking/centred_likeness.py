"""How like products are by what sets them apart from all others."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedback.decay import Floats
from ranking.rankers import Numbers


class CentredLikeness(NamedTuple):
    """`products`: ours x theirs, the inner products of what is left of each vector without the mean; with the inverse
    lengths of that of both they are cosines, of vectors of zeros 0.
    """

    products: Numbers
    our_inverse_lengths: Numbers
    their_inverse_lengths: Numbers

    def sums(self, amounts: Floats) -> Numbers:
        """For each of ours the amounts of theirs, weighed by the cosines."""
        return self._summed(self.products, amounts)

    def sizes(self, amounts: Floats) -> Numbers:
        """For each of ours the amounts of theirs, weighed by the cosines without their signs."""
        return self._summed(np.abs(self.products), amounts)

    def _summed(self, products: Numbers, amounts: Floats) -> Numbers:
        sums: Numbers = products @ (amounts.astype(np.float32) * self.their_inverse_lengths)
        return sums * self.our_inverse_lengths


def centred_likeness(ours: Numbers, theirs: Numbers, mean: NDArray[np.float64]) -> CentredLikeness:
    """The vectors are left as they are: one product of all pairs is put right by what each has of the mean."""
    middle = mean.astype(np.float32)
    of_ours, of_theirs = ours @ middle, theirs @ middle
    squared = float(middle @ middle)
    products: Numbers = ours @ theirs.T
    products -= (of_ours - squared)[:, np.newaxis]
    products -= of_theirs
    return CentredLikeness(
        products, _inverse_lengths(ours, of_ours, squared), _inverse_lengths(theirs, of_theirs, squared)
    )


def _inverse_lengths(vectors: Numbers, of_mean: Numbers, squared_mean: float) -> Numbers:
    """Of the vectors without the mean; 0 for those of zeros."""
    squared = np.vecdot(vectors, vectors)
    left = np.maximum(squared - 2 * of_mean + squared_mean, 1e-12)
    inverse: Numbers = (squared > 0) / np.sqrt(left)
    return inverse
