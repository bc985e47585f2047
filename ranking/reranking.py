"""Candidates in the order for one shopper: scored, without what was bought or hidden, diverse, a little by lot."""

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from feedback.store import StoreUnavailable
from monitoring.metrics import Metrics
from ranking.availability import Availability
from ranking.diversity import best_first, by_marginal_relevance
from ranking.exploration import drawn
from ranking.rankers import Candidate, FeatureSource, Numbers, Ranker, RankingInput, Situation
from ranking.reranking_settings import RerankingSettings
from ranking.stock import Stock

logger = logging.getLogger(__name__)

_LEFT_ALONE_SECONDS = 5.0
_NO_PARTS: Mapping[str, float] = {}

BOUGHT = "bought"
HIDDEN = "hidden"
NOT_READ = "nothing was put in order for the shopper: what is known of shoppers cannot be read now"


class RankedProduct(NamedTuple):
    """`position` is the new one, from 1, `propensity` the chance with which the product came there.

    `parts` is each feature's part in the score, of features that are known, where an explanation was asked for.
    `behind` is the availability that puts it behind all others, whatever its score; empty where none does.
    """

    candidate: Candidate
    position: int
    score: float
    propensity: float
    parts: Mapping[str, float] = _NO_PARTS
    behind: str = ""


@dataclass(frozen=True, slots=True)
class RankedList:
    """`left_out`: bought, hidden, or an availability that is not shown, by product: what the shopper bought or hid is
    among them, candidate or not. `note`: why the candidates are as they came, empty where they are not.
    """

    products: Sequence[RankedProduct]
    left_out: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """`kept`: they stay where their score puts them, though bought, hidden or not in stock. `places`: how many of the
    first may be drawn by lot, at most what the settings say.
    """

    kept: Collection[str] = frozenset()
    places: int = 0


class Reranker:
    """Safe to call from several threads, as its features and its ranker are."""

    def __init__(  # noqa: PLR0913 - each is one part
        self,
        features: FeatureSource,
        ranker: Ranker,
        settings: RerankingSettings,
        availability: Availability,
        stock: Stock,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic` gives seconds."""
        self._features = features
        self._ranker = ranker
        self._settings = settings
        self._availability = availability
        self._stock = stock
        self._reranked = metrics.rerankings.labels("reranked")
        self._not_read = metrics.rerankings.labels("store_unavailable")
        self._monotonic = monotonic
        self._left_alone_until = -math.inf

    @property
    def release(self) -> str:
        return self._ranker.release

    def rerank(
        self, situation: Situation, candidates: Sequence[Candidate], rules: Rules, seed: str, *, explain: bool = False
    ) -> RankedList:
        """The same seed gives the same draw. As they came where the store cannot be read. Raises IndexUnavailable."""
        seen = self._seen(situation, candidates)
        if seen is None:
            self._not_read.inc()
            return RankedList(_as_they_came(candidates), {}, NOT_READ)
        self._reranked.inc()
        stock = self._stock.availability([one.product_id for one in candidates])
        left_out = self._left_out(seen, stock, rules.kept)
        scores = self._ranker.score(seen)
        on_top, behind = self._groups(candidates, stock, left_out, rules.kept)
        on_top, behind = self._order(seen, scores, on_top), self._order(seen, scores, behind)
        exploration = self._settings.exploration
        draw = drawn(len(on_top), min(exploration.places, rules.places), exploration.share, seed)
        order = [*(on_top[place] for place in draw.order.tolist()), *behind]
        chances = [*draw.propensities.tolist(), *[1.0] * len(behind)]
        parts = _parts(seen, self._ranker, order) if explain else [_NO_PARTS] * len(order)
        columns = (
            [candidates[place] for place in order],
            range(1, len(order) + 1),
            scores[order].tolist(),
            chances,
            parts,
            [*[""] * len(on_top), *(stock[place] for place in behind)],
        )
        products = list(map(RankedProduct, *columns))
        return RankedList(products, left_out)

    def _seen(self, situation: Situation, candidates: Sequence[Candidate]) -> RankingInput | None:
        """None while the store does not answer: it is left alone for a few seconds then, and no list waits for it."""
        if self._monotonic() < self._left_alone_until:
            return None
        try:
            return self._features.input(situation, candidates)
        except StoreUnavailable as error:
            logger.warning("Lists stay as they are found for %g s: %s", _LEFT_ALONE_SECONDS, error)
            self._left_alone_until = self._monotonic() + _LEFT_ALONE_SECONDS
            return None

    def _left_out(self, seen: RankingInput, stock: Sequence[str], kept: Collection[str]) -> dict[str, str]:
        unavailable = {
            one.product_id: availability
            for one, availability in zip(seen.candidates, stock, strict=True)
            if availability and self._availability.place(availability) == "hidden"
        }
        bought = seen.bought if self._settings.bought == "hidden" else ()
        reasons = unavailable | dict.fromkeys(bought, BOUGHT) | dict.fromkeys(seen.hidden, HIDDEN)
        return {product_id: reason for product_id, reason in reasons.items() if product_id not in kept}

    def _groups(
        self, candidates: Sequence[Candidate], stock: Sequence[str], left_out: Collection[str], kept: Collection[str]
    ) -> tuple[list[int], list[int]]:
        """Which candidates stay, and of these which stand behind the others."""
        groups: tuple[list[int], list[int]] = [], []
        for place, one in enumerate(candidates):
            if one.product_id not in left_out:
                known = stock[place] if one.product_id not in kept else ""
                groups[bool(known) and self._availability.place(known) == "last"].append(place)
        return groups

    def _order(self, seen: RankingInput, scores: Numbers, places: Sequence[int]) -> list[int]:
        if not places:
            return []
        group = np.array(places, np.intp)
        if self._settings.diversity < 1.0:
            order = by_marginal_relevance(scores[group], seen.vectors[group], self._settings.diversity)
        else:
            order = best_first(scores[group])
        return [places[one] for one in order.tolist()]


def _as_they_came(candidates: Sequence[Candidate]) -> list[RankedProduct]:
    return [RankedProduct(one, position, one.score or 0.0, 1.0) for position, one in enumerate(candidates, start=1)]


def _parts(seen: RankingInput, ranker: Ranker, order: Sequence[int]) -> list[Mapping[str, float]]:
    parts = ranker.parts(seen)
    unknown = dict(zip(seen.names, np.isnan(seen.values).T, strict=True))
    known = {name: ~unknown[name] if name in unknown else np.ones(len(part), bool) for name, part in parts.items()}
    return [{name: float(part[place]) for name, part in parts.items() if known[name][place]} for place in order]
