"""One vector for what a product is and looks like, out of those of its text and its picture."""

from collections.abc import Mapping

import numpy as np

from ranking.rankers import LEAST_DEVIATION, Numbers


def style_vector(known: Mapping[str, Numbers], dimensions: Mapping[str, int]) -> Numbers:
    """The vectors of the fields side by side, in the order of `dimensions`, of length 1; zeros where one is missing."""
    parts = [known.get(field, np.zeros(dimension, np.float32)) for field, dimension in dimensions.items()]
    whole = np.concatenate(parts)
    return np.asarray(whole / max(float(np.linalg.norm(whole)), LEAST_DEVIATION), np.float32)
