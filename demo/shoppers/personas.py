"""Who shops: a name, a language, what they come for, and a taste that no search is told."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from demo.drawn_shop.captions import LANGUAGES, Language
from demo.drawn_shop.looks import KINDS, Kind
from demo.shoppers.intents import Intent, new_intent
from demo.shoppers.tastes import SeenProduct, Taste, new_taste

HIGHEST_GRADE = 4
_LEAST_UTILITY = (0.3, 0.45, 0.6, 0.75)  # of grades 1 to 4: about a quarter, a seventh, a fourteenth, a twentieth
_KINDS_OF_INTEREST = 4


@dataclass(frozen=True, slots=True)
class Persona:
    """One shopper as of now. `owned` are ids of products that were bought: nobody wants them twice."""

    name: str
    language: Language
    interests: tuple[Kind, ...]
    taste: Taste
    owned: frozenset[str] = frozenset()

    def intent(self, rng: random.Random) -> Intent:
        return new_intent(rng.choice(self.interests), self.language, rng)

    def grade(self, product: SeenProduct, intent: Intent) -> int:
        """How well the product answers the query for this shopper: 0, not at all, to HIGHEST_GRADE."""
        if product.kind not in intent.kinds or product.product_id in self.owned:
            return 0
        utility = self.taste.utility(product)
        return sum(utility >= least for least in _LEAST_UTILITY)

    def drifted(self, rng: random.Random, keep: float) -> Self:
        return replace(self, taste=self.taste.drifted(rng, keep))

    def owning(self, product_ids: Iterable[str]) -> Self:
        return replace(self, owned=self.owned.union(product_ids))


def new_persona(seed: int, number: int) -> Persona:
    """Always the same for the same seed and number."""
    rng = random.Random(f"persona|{seed}|{number}")
    return Persona(
        name=f"shopper-{seed}-{number:04d}",
        language=rng.choice(LANGUAGES),
        interests=tuple(rng.sample(KINDS, _KINDS_OF_INTEREST)),
        taste=new_taste(rng),
    )
