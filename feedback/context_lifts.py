"""How much more products are acted upon in one context than was to be expected there."""

from typing import NamedTuple

import numpy as np

from feedback.decay import Floats
from feedback.statistics import odds, smoothed_rates


class InContext(NamedTuple):
    """What was acted upon and what was seen in one context; `shop_` of all products together, in one row."""

    shop_done: Floats
    shop_seen: Floats
    done: Floats
    seen: Floats


def context_lifts(there: InContext, rates: Floats, shop_rate: Floats, prior_trials: float) -> Floats:
    """Log odds beyond what the rates of each product, and of the context, let expect; 0 where nothing is known.

    `rates` and `shop_rate` are those of all contexts.
    """
    apart = odds(smoothed_rates(there.shop_done, there.shop_seen, shop_rate, prior_trials)) / odds(shop_rate)
    expected = odds(rates) * apart
    actual = odds(smoothed_rates(there.done, there.seen, expected / (1 + expected), prior_trials))
    return np.where(there.done + there.seen > 0, np.log(actual / expected), 0.0)
