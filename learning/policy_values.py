"""What another policy would have brought, from the log of one whose propensities are known."""

from dataclasses import dataclass

import numpy as np

from learning.estimates import Estimate, Floats, Z, mean_estimate
from learning.showings import Integers


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """The click rate that another policy would have, by inverse propensities (`plain`) and `self_normalized` ones.

    `standard_error` is of the self-normalized one. `effective_size`: so many showings of that policy itself would tell
    as much (Kish). `clipped`: the share of the showings whose weight was cut. `mean_weight` has 1 as its expectation,
    without clipping.
    """

    plain: Estimate
    self_normalized: Estimate
    standard_error: float
    effective_size: float
    clipped: float
    mean_weight: Estimate


def estimate_value(clicks: Integers, weights: Floats, largest_weight: float = float("inf")) -> PolicyValue:
    """`weights`: the chance that the other policy shows what was shown, over the logged one (Swaminathan and Joachims,
    NeurIPS 2015). A clipped weight trades variance for bias; Ionides (JCGS 2008) cuts at the root of the sample size.
    """
    cut = np.minimum(weights, largest_weight)
    total = cut.sum()
    rate = float((cut * clicks).sum() / total)
    error = float(np.sqrt(((cut * (clicks - rate)) ** 2).sum()) / total)
    around = Estimate(rate, rate - Z * error, rate + Z * error)
    effective = float(total**2 / (cut**2).sum())
    clipped = float((weights > largest_weight).mean())
    return PolicyValue(mean_estimate(cut * clicks), around, error, effective, clipped, mean_estimate(cut))
