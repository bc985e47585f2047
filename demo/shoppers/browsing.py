"""What a shopper does with a list: a position-based model of looking and clicking.

Whether a place is looked at depends on the place alone (Craswell et al., "An experimental comparison of click
position-bias models", WSDM 2008), with the chance 1/place^eta (Joachims et al., "Unbiased learning-to-rank with biased
feedback", WSDM 2017). What is looked at is clicked by its grade, and now and then for no reason (Ai et al., "Unbiased
learning to rank with unbiased propensity estimation", SIGIR 2018).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from demo.shoppers.personas import HIGHEST_GRADE


class Action(StrEnum):
    IMPRESSION = "impression"
    CLICK = "click"
    DWELL = "dwell"
    ADD_TO_CART = "add_to_cart"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class Habits:
    """`eta`: how fast attention falls with the place; `noise`: the chance of a click upon what does not please.

    `into_cart` is of a clicked product of the highest grade, `purchase` of one in the cart, the pause before the next
    search, `interest_kept` what one click upon a product leaves of the chance of another. Seconds are those of people
    in a hurry, so that a demo has something to show, but of people: no rule against robots takes them for one.
    """

    eta: float = 1.0
    noise: float = 0.1
    into_cart: float = 0.4
    purchase: float = 0.5
    seconds_a_look: float = 0.25
    dwell_seconds: float = 1.5
    pause_seconds: float = 3.0
    interest_kept: float = 0.5


@dataclass(frozen=True, slots=True)
class Appeal:
    """A product of a list to one shopper, who clicked it so many times before."""

    grade: int
    earlier_clicks: int = 0

    def click_chance(self, habits: Habits) -> float:
        return attractiveness(self.grade, habits.noise) * habits.interest_kept**self.earlier_clicks


@dataclass(frozen=True, slots=True)
class Deed:
    """`place` counts from 1; `seconds` from the moment when the list was shown; `dwell_seconds` is of a DWELL."""

    action: Action
    place: int
    seconds: float
    dwell_seconds: float | None = None


def examination(place: int, eta: float) -> float:
    """The chance that the place, from 1 on, is looked at."""
    return float(place**-eta)


def attractiveness(grade: int, noise: float) -> float:
    """The chance that what is looked at is clicked."""
    return float(noise + (1 - noise) * (2**grade - 1) / (2**HIGHEST_GRADE - 1))


def browse(products: Sequence[Appeal], habits: Habits, rng: random.Random) -> list[Deed]:
    """What is done with these products, in the order of their places; by time.

    Everything down to the last place that was looked at was on the screen: a page reports it as seen. Whether it was
    looked at no page can tell.
    """
    looked_at = [place for place in range(1, len(products) + 1) if rng.random() < examination(place, habits.eta)]
    seconds = 0.0
    deeds: list[Deed] = []
    seen = 0
    for place in looked_at:
        seconds += habits.seconds_a_look
        deeds += [Deed(Action.IMPRESSION, shown, seconds) for shown in range(seen + 1, place + 1)]
        seen = place
        product = products[place - 1]
        if rng.random() < product.click_chance(habits):
            clicked = _after_click(place, product.grade, seconds + habits.seconds_a_look, habits, rng)
            deeds += clicked
            seconds = clicked[-1].seconds
    return deeds


def _after_click(place: int, grade: int, seconds: float, habits: Habits, rng: random.Random) -> list[Deed]:
    """The click, what became of it, and how long it held the shopper: the longer, the better it pleased."""
    pleased = grade / HIGHEST_GRADE
    dwell = habits.dwell_seconds * (0.3 + pleased) * rng.lognormvariate(0, 0.3)
    deeds = [Deed(Action.CLICK, place, seconds)]
    if rng.random() < habits.into_cart * pleased:
        deeds.append(Deed(Action.ADD_TO_CART, place, seconds + dwell * 0.7))
        if rng.random() < habits.purchase:
            deeds.append(Deed(Action.PURCHASE, place, seconds + dwell * 0.9))
    deeds.append(Deed(Action.DWELL, place, seconds + dwell, round(dwell, 3)))
    return deeds
