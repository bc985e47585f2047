"""What a shopper likes without ever saying so: colours, patterns, brands and a price level, which drift over time."""

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from demo.drawn_shop.looks import COLOURS, PATTERNS
from demo.drawn_shop.merchandise import MERCHANDISE

Scores: TypeAlias = Mapping[str, float]

BRANDS: tuple[str, ...] = tuple(sorted({brand for sold in MERCHANDISE.values() for brand in sold.brands}))
MAX_STEP = 3.0
_SHARPNESS = 1.5
_WEIGHTS = {"colour": 0.45, "pattern": 0.25, "brand": 0.1, "price": 0.2}
_PRICE_SPREAD = 0.3
_PRICE_TOLERANCE = 0.25


@dataclass(frozen=True, slots=True)
class SeenProduct:
    """What a shopper takes in of a product; `price_level` is the log of its price over the usual one of its kind."""

    product_id: str
    kind: str
    colour: str
    pattern: str
    brand: str
    price_level: float

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From a search result's `product`. What the document does not say is empty, or the usual price."""
        attributes = document.get("attributes", {})
        kind, price = str(attributes.get("kind", "")), document.get("price")
        usual = MERCHANDISE[kind].usual_price if kind in MERCHANDISE else None
        return cls(
            product_id=str(document["id"]),
            kind=kind,
            colour=str(attributes.get("colour", "")),
            pattern=str(attributes.get("pattern", "")),
            brand=str(document.get("brand", "")),
            price_level=math.log(price / usual) if price and usual else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Taste:
    """A score for each value, the higher the better liked; scores are standard normal among all shoppers."""

    colours: Scores
    patterns: Scores
    brands: Scores
    price: float

    def utility(self, product: SeenProduct) -> float:
        """From 0 to 1; 1 has the best liked colour, pattern and brand at the best liked price level."""
        distance = (product.price_level - _PRICE_SPREAD * self.price) / _PRICE_TOLERANCE
        return (
            _WEIGHTS["colour"] * _liking(self.colours, product.colour)
            + _WEIGHTS["pattern"] * _liking(self.patterns, product.pattern)
            + _WEIGHTS["brand"] * _liking(self.brands, product.brand)
            + _WEIGHTS["price"] * math.exp(-(distance**2) / 2)
        )

    def drifted(self, rng: random.Random, keep: float) -> Self:
        """One step of an autoregressive process: `keep` of 1 changes nothing, 0 leaves nothing of the taste.

        No score moves by more than (1 - keep) of itself and MAX_STEP * sqrt(1 - keep²).
        """
        colours, patterns, brands = (
            {value: _step(score, rng, keep) for value, score in scores.items()}
            for scores in (self.colours, self.patterns, self.brands)
        )
        return type(self)(colours, patterns, brands, _step(self.price, rng, keep))


def new_taste(rng: random.Random) -> Taste:
    return Taste(_drawn(rng, COLOURS), _drawn(rng, PATTERNS), _drawn(rng, BRANDS), _clipped(rng))


def _drawn(rng: random.Random, values: Iterable[str]) -> Scores:
    return {value: _clipped(rng) for value in values}


def _liking(scores: Scores, value: str) -> float:
    """1 for the best liked value, less for the others, 0 for an unknown one."""
    if value not in scores:
        return 0.0
    return math.exp(_SHARPNESS * (scores[value] - max(scores.values())))


def _step(score: float, rng: random.Random, keep: float) -> float:
    return keep * score + math.sqrt(1 - keep * keep) * _clipped(rng)


def _clipped(rng: random.Random) -> float:
    return min(MAX_STEP, max(-MAX_STEP, rng.gauss()))
