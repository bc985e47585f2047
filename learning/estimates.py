"""Numbers with their 95 % intervals."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

NORMAL = NormalDist()
Z = NORMAL.inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float

    def holds(self, truth: float) -> bool:
        return self.low <= truth <= self.high


def wilson(share: float, size: float) -> Estimate:
    """Of a share of `size` independent draws."""
    middle = (share + Z**2 / (2 * size)) / (1 + Z**2 / size)
    margin = Z / (1 + Z**2 / size) * float(np.sqrt(share * (1 - share) / size + Z**2 / (4 * size**2)))
    return Estimate(share, middle - margin, middle + margin)


def difference(one: Estimate, other: Estimate) -> Estimate:
    """`one` minus `other` of independent logs, by the square-and-add method (Zou and Donner, Statist. Med. 2008)."""
    value = one.value - other.value
    low = value - float(np.hypot(one.value - one.low, other.high - other.value))
    return Estimate(value, low, value + float(np.hypot(one.high - one.value, other.value - other.low)))


def mean_estimate(values: Floats) -> Estimate:
    """Of independent draws."""
    mean, error = float(values.mean()), float(values.std() / np.sqrt(len(values)))
    return Estimate(mean, mean - Z * error, mean + Z * error)


def ratios(one: Floats, other: Floats) -> Floats:
    """Nan where `other` is 0, as of `ratio`."""
    quotient = np.full(len(one), np.nan)
    np.divide(one, other, out=quotient, where=other > 0)
    return quotient


def ratio(one: float, other: float) -> float:
    return one / other if other else float("nan")
