"""Sums that fade with event time, whatever order their parts come in.

Each sum is kept as of one moment, the time of the newest part (forward decay, Cormode and others, ICDE 2009).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def left_after(seconds: Floats, half_life_seconds: Floats | float) -> Floats:
    """What is left of 1; all of it where the time is still to come."""
    left: Floats = np.exp2(-np.maximum(seconds, 0.0) / half_life_seconds)
    return left


def add_to_sums(  # noqa: PLR0913 - one column each
    sums: Floats,
    as_of: Floats,
    rows: Integers,
    columns: Integers,
    at: Floats,
    amounts: Floats,
    half_lives: Floats,
) -> None:
    """Add each amount, which happened at a time of its own, to a row and column of `sums`, in place.

    `sums`: rows x half lives x columns, as of `as_of`, one time for each row.
    """
    moments = as_of.copy()
    np.maximum.at(moments, rows, at)
    sums *= left_after((moments - as_of)[:, np.newaxis], half_lives)[:, :, np.newaxis]
    as_of[:] = moments
    faded = amounts[:, np.newaxis] * left_after((moments[rows] - at)[:, np.newaxis], half_lives)
    places = np.arange(len(half_lives))
    np.add.at(sums, (rows[:, np.newaxis], places[np.newaxis, :], columns[:, np.newaxis]), faded)
