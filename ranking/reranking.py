"""Candidates in the order for one shopper: scored, without what was bought or hidden, diverse, a little by lot."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ranking.diversity import by_marginal_relevance
from ranking.exploration import drawn
from ranking.rankers import Candidate, FeatureSource, Numbers, Ranker, RankingInput, Situation
from ranking.reranking_settings import RerankingSettings

BOUGHT = "bought"
HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class RankedProduct:
    """`position` is the new one, from 1, `propensity` the chance with which the product came there.

    `parts` is each feature's part in the score, of features that are known, where an explanation was asked for.
    """

    candidate: Candidate
    position: int
    score: float
    propensity: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RankedList:
    """`unwanted`: what the shopper bought or hid, candidates or not, and which of the two; the products hold none."""

    products: Sequence[RankedProduct]
    unwanted: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """`last`: products that stand behind all others. `kept`: they stay, though bought or hidden. `places`: how many
    of the first may be drawn by lot, at most what the settings say.
    """

    last: Collection[str] = frozenset()
    kept: Collection[str] = frozenset()
    places: int = 0


class Reranker:
    """Safe to call from several threads, as its features and its ranker are."""

    def __init__(self, features: FeatureSource, ranker: Ranker, settings: RerankingSettings) -> None:
        self._features = features
        self._ranker = ranker
        self._settings = settings

    @property
    def release(self) -> str:
        return self._ranker.release

    def rerank(
        self, situation: Situation, candidates: Sequence[Candidate], rules: Rules, seed: str, *, explain: bool = False
    ) -> RankedList:
        """The same seed gives the same draw. Raises StoreUnavailable, IndexUnavailable."""
        seen = self._features.input(situation, candidates)
        unwanted = self._unwanted(seen, rules.kept)
        scores = self._ranker.score(seen)
        left = [place for place, one in enumerate(candidates) if one.product_id not in unwanted]
        on_top = self._order(seen, scores, [place for place in left if candidates[place].product_id not in rules.last])
        behind = self._order(seen, scores, [place for place in left if candidates[place].product_id in rules.last])
        exploration = self._settings.exploration
        draw = drawn(len(on_top), min(exploration.places, rules.places), exploration.share, seed)
        order = [*on_top[draw.order].tolist(), *behind.tolist()]
        chances = [*draw.propensities.tolist(), *[1.0] * len(behind)]
        parts = _parts(seen, self._ranker, order) if explain else [{}] * len(order)
        products = [
            RankedProduct(candidates[place], position, float(scores[place]), chance, why)
            for position, (place, chance, why) in enumerate(zip(order, chances, parts, strict=True), start=1)
        ]
        return RankedList(products, unwanted)

    def unwanted(self, situation: Situation) -> Mapping[str, str]:
        """What this shopper bought or hid, and which of the two. Raises StoreUnavailable, IndexUnavailable."""
        return self._unwanted(self._features.input(situation, ()), ())

    def _unwanted(self, seen: RankingInput, kept: Collection[str]) -> dict[str, str]:
        bought = seen.bought if self._settings.bought == "hidden" else ()
        reasons = dict.fromkeys(bought, BOUGHT) | dict.fromkeys(seen.hidden, HIDDEN)
        return {product_id: reason for product_id, reason in reasons.items() if product_id not in kept}

    def _order(self, seen: RankingInput, scores: Numbers, places: Sequence[int]) -> NDArray[np.intp]:
        group = np.array(places, np.intp)
        return group[by_marginal_relevance(scores[group], seen.vectors[group], self._settings.diversity)]


def _parts(seen: RankingInput, ranker: Ranker, order: Sequence[int]) -> list[Mapping[str, float]]:
    parts = ranker.parts(seen)[order]
    known = ~np.isnan(seen.values[order])
    return [
        {name: part for name, part, is_known in zip(seen.names, row, kept, strict=True) if is_known}
        for row, kept in zip(parts.tolist(), known.tolist(), strict=True)
    ]
