"""Ranked lists of several legs into one. Pure; the order in which legs are given changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from index.base import ScoredProduct


class Leg(StrEnum):
    """One way to find products."""

    TEXT = "text"
    KEYWORDS = "keywords"
    IMAGE = "image"


RankedLegs: TypeAlias = Mapping[Leg, Sequence[ScoredProduct]]
Weights: TypeAlias = Mapping[Leg, float]


@dataclass(frozen=True, slots=True)
class LegHit:
    """Where a leg placed a product (rank 1 is best), its score there, and its part of the fused score."""

    rank: int
    score: float
    contribution: float


@dataclass(frozen=True, slots=True)
class FusedProduct:
    """`score` is the sum of the contributions of `legs`, between 0 and 1."""

    product_id: str
    score: float
    legs: Mapping[Leg, LegHit]


def fuse_weighted(legs: RankedLegs, weights: Weights, limit: int | None = None) -> list[FusedProduct]:
    """Each leg's scores scaled to 0..1 (min-max over its hits), then their weighted mean; the best `limit`, best first.

    Hits of equal score all get 1: a lone hit is the leg's best. A product that a leg did not find gets 0 from it.
    """
    contributions = {}
    for leg, weight in _shares(legs, weights).items():
        scores = [hit.score for hit in legs[leg]]
        lowest = min(scores)
        spread = max(scores) - lowest
        contributions[leg] = [weight * ((score - lowest) / spread) if spread > 0 else weight for score in scores]
    return _merge(legs, contributions, limit)


def fuse_reciprocal_ranks(legs: RankedLegs, weights: Weights, k: int, limit: int | None = None) -> list[FusedProduct]:
    """Weighted reciprocal rank fusion (Cormack, Clarke, Buettcher 2009): the sum of weight / (k + rank)."""
    contributions = {
        leg: [weight / (k + rank) for rank in range(1, len(legs[leg]) + 1)]
        for leg, weight in _shares(legs, weights).items()
    }
    return _merge(legs, contributions, limit)


def _shares(legs: RankedLegs, weights: Weights) -> dict[Leg, float]:
    """Weights of the legs that found something, scaled to a sum of 1, in one fixed order."""
    heard = {leg: weights[leg] for leg in Leg if legs.get(leg) and weights.get(leg, 0.0) > 0}
    total = sum(heard.values())
    return {leg: weight / total for leg, weight in heard.items()}


def _merge(legs: RankedLegs, contributions: Mapping[Leg, Sequence[float]], limit: int | None) -> list[FusedProduct]:
    totals: dict[str, float] = {}
    for leg, parts in contributions.items():
        for hit, part in zip(legs[leg], parts, strict=True):
            totals[hit.product_id] = totals.get(hit.product_id, 0.0) + part
    order = sorted(sorted(totals), key=totals.__getitem__, reverse=True)[:limit]
    places = {leg: {hit.product_id: place for place, hit in enumerate(legs[leg])} for leg in contributions}
    return [
        FusedProduct(
            product_id,
            totals[product_id],
            {
                leg: LegHit(place + 1, legs[leg][place].score, contributions[leg][place])
                for leg, found in places.items()
                if (place := found.get(product_id)) is not None
            },
        )
        for product_id in order
    ]
