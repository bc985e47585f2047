"""One vector for what a product is and looks like, out of those of its text and its picture."""

from collections.abc import Mapping

import numpy as np

from ranking.rankers import LEAST_DEVIATION, Numbers


def style_vector(known: Mapping[str, Numbers], dimensions: Mapping[str, int]) -> Numbers:
    """The vectors of the fields side by side, in the order of `dimensions`, of length 1; zeros where one is missing."""
    parts = [known.get(field, np.zeros(dimension, np.float32)) for field, dimension in dimensions.items()]
    whole = np.concatenate(parts)
    return np.asarray(whole / max(float(np.linalg.norm(whole)), LEAST_DEVIATION), np.float32)


def parts(style: Numbers, dimensions: Mapping[str, int]) -> dict[str, Numbers]:
    """The vectors that a style vector was made of, by field, each of length 1; without those that were missing."""
    ends = np.cumsum(list(dimensions.values()))[:-1]
    found = {field: part for field, part in zip(dimensions, np.split(style, ends), strict=True) if part.any()}
    return {field: part / np.linalg.norm(part) for field, part in found.items()}
