"""What simulated shoppers might report of a shop that learns."""

import random

from demo.shoppers.comparison import PairedNdcg
from demo.shoppers.learning_curve import LearningCurve, Round
from learning.relevance import RelevanceOptions

SHOPPERS = 12


def rounds(count: int, gain: float = 0.0) -> list[Round]:
    """`gain` is what each session adds to the one before."""
    rng = random.Random(1)
    curve = LearningCurve(SHOPPERS, RelevanceOptions(resamples=200))
    return curve.update(
        [
            PairedNdcg(f"s{number}", session, plain + gain * session + rng.gauss(0, 0.02), plain)
            for session in range(1, count + 1)
            for number in range(SHOPPERS)
            for plain in [rng.uniform(0.2, 0.5)]
        ]
    )
