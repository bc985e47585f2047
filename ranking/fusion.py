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
    IDENTIFIERS = "identifiers"
    BRANDS = "brands"


_WITHOUT_ORDER = (Leg.IDENTIFIERS, Leg.BRANDS)  # a product has the number or the brand, or has it not

RankedLegs: TypeAlias = Mapping[Leg, Sequence[ScoredProduct]]
Weights: TypeAlias = Mapping[Leg, float]


@dataclass(frozen=True, slots=True)
class LegHit:
    """Where a leg placed a product (rank 1 is best), its score there, and its part of the fused score.

    Without rank and score where the leg did not find it and something is assumed of it.
    """

    rank: int | None
    score: float | None
    contribution: float


@dataclass(frozen=True, slots=True)
class FusedProduct:
    """`score` is the sum of the contributions of `legs`, at most 1."""

    product_id: str
    score: float
    legs: Mapping[Leg, LegHit]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a leg gives to each of its hits, in their order, and to every product that is not among them."""

    of_hits: Sequence[float]
    of_others: float = 0.0


def fuse_weighted(
    legs: RankedLegs, weights: Weights, keyword_places: int, limit: int | None = None
) -> list[FusedProduct]:
    """The weighted mean of cosines and of the place among the keyword hits; the best `limit`, best first.

    A cosine counts as it is, and a product that a vector leg did not find as if it were the last that it found. The
    first keyword hit counts 1, each later one `1 / keyword_places` less, down to 0 (a Borda count): BM25 has no scale
    that queries share, and little to say among products that all have the words. All hits of an
    article number count 1, and so do all products of a brand that the query names.
    """
    parts: dict[Leg, _Parts] = {}
    for leg, weight in _shares(legs, weights).items():
        if leg in _WITHOUT_ORDER:
            parts[leg] = _Parts([weight] * len(legs[leg]))
        elif leg is Leg.KEYWORDS:
            parts[leg] = _Parts([weight * max(0.0, 1 - place / keyword_places) for place in range(len(legs[leg]))])
        else:
            cosines = [weight * hit.score for hit in legs[leg]]
            parts[leg] = _Parts(cosines, cosines[-1])
    return _merge(legs, parts, limit)


def fuse_reciprocal_ranks(legs: RankedLegs, weights: Weights, k: int, limit: int | None = None) -> list[FusedProduct]:
    """Weighted reciprocal rank fusion (Cormack, Clarke, Buettcher 2009): the sum of weight / (k + rank).

    All hits of an article number, and all of a brand, have rank 1.
    """
    parts = {
        leg: _Parts([weight / (k + _rank(leg, place)) for place in range(len(legs[leg]))])
        for leg, weight in _shares(legs, weights).items()
    }
    return _merge(legs, parts, limit)


def _shares(legs: RankedLegs, weights: Weights) -> dict[Leg, float]:
    """Weights of the legs that found something, scaled to a sum of 1, in one fixed order."""
    heard = {leg: weights[leg] for leg in Leg if legs.get(leg) and weights.get(leg, 0.0) > 0}
    total = sum(heard.values())
    return {leg: weight / total for leg, weight in heard.items()}


def _merge(legs: RankedLegs, parts: Mapping[Leg, _Parts], limit: int | None) -> list[FusedProduct]:
    """Best first; of equal ones that with the better place in a leg, then by id."""
    assumed = sum(part.of_others for part in parts.values())
    totals: dict[str, float] = {}
    first: dict[str, int] = {}
    for leg, part in parts.items():
        for place, (hit, contribution) in enumerate(zip(legs[leg], part.of_hits, strict=True)):
            totals[hit.product_id] = totals.get(hit.product_id, assumed) + contribution - part.of_others
            first[hit.product_id] = min(place, first.get(hit.product_id, place))
    order = sorted(totals, key=lambda product_id: (-totals[product_id], first[product_id], product_id))[:limit]
    places = {leg: {hit.product_id: place for place, hit in enumerate(legs[leg])} for leg in parts}
    return [
        FusedProduct(
            product_id,
            totals[product_id],
            {
                leg: _hit(leg, legs[leg], part, places[leg].get(product_id))
                for leg, part in parts.items()
                if part.of_others or product_id in places[leg]
            },
        )
        for product_id in order
    ]


def _hit(leg: Leg, found: Sequence[ScoredProduct], part: _Parts, place: int | None) -> LegHit:
    if place is None:
        return LegHit(None, None, part.of_others)
    return LegHit(_rank(leg, place), found[place].score, part.of_hits[place])


def _rank(leg: Leg, place: int) -> int:
    return 1 if leg in _WITHOUT_ORDER else place + 1
