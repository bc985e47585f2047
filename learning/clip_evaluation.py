"""How well vectors of texts and pictures find each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Similarities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of queries whose right answer comes first, and among the first ten."""

    at_1: float
    at_10: float


def recall(similarities: Similarities, right: NDArray[np.intp]) -> Recall:
    """`similarities` has a row for each query and a column for each candidate; `right` is each row's right column.

    Of equals the right one comes last, so that a model that tells nothing apart scores nothing.
    """
    rows = np.arange(len(similarities))
    of_right = similarities[rows, right][:, None]
    ranks = (similarities >= of_right).sum(axis=1) - 1
    return Recall(at_1=float((ranks < 1).mean()), at_10=float((ranks < 10).mean()))


def best(similarities: Similarities, count: int) -> NDArray[np.intp]:
    """Columns of the `count` highest similarities of each row, highest first."""
    return np.argsort(-similarities, axis=1, kind="stable")[:, :count]
