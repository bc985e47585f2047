"""Lists in which like products do not stand together."""

import numpy as np
from numpy.typing import NDArray

from ranking.rankers import Numbers


def best_first(scores: Numbers) -> NDArray[np.intp]:
    """Places of the candidates; equal ones as they came."""
    return np.argsort(-scores, kind="stable")


def by_marginal_relevance(scores: Numbers, vectors: Numbers, trade_off: float) -> NDArray[np.intp]:
    """Places of the candidates, best first (maximal marginal relevance, Carbonell and Goldstein, SIGIR 1998).

    `trade_off` is their lambda: 1 is the order of the scores, equal ones as they came. Scores are scaled to 0 ... 1;
    `vectors` are unit vectors, a row of zeros where there is none.
    """
    order = best_first(scores)
    if trade_off >= 1.0 or len(order) < 3:
        return order
    relevance = trade_off * _scaled(scores)
    likeness = (1.0 - trade_off) * (vectors @ vectors.T)
    left = order.tolist()
    chosen = [left.pop(0)]
    nearest = likeness[chosen[0]].copy()
    while left:
        best = left.pop(int(np.argmax(relevance[left] - nearest[left])))
        chosen.append(best)
        np.maximum(nearest, likeness[best], out=nearest)
    return np.array(chosen, np.intp)


def _scaled(scores: Numbers) -> Numbers:
    lowest, highest = scores.min(), scores.max()
    return (scores - lowest) / (highest - lowest) if highest > lowest else np.zeros_like(scores)
