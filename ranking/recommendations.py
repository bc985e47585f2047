"""Products for one shopper, who need not say what is looked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback.store import StoreUnavailable
from index.base import Filter, VectorIndex
from index.filters import matcher
from ranking.availability import Availability
from ranking.queries import Visit
from ranking.rankers import Candidate, Situation
from ranking.recommendation_settings import RecommendationSettings
from ranking.recommendation_sources import CO_CLICKS, CONTEXT, NEWEST, TASTE, TRENDING, RecentProducts, Sources
from ranking.reranking import RankedProduct, Reranker, Rules

KIND = "recommendations"
_RRF_K = 60  # of reciprocal rank fusion (Cormack et al. 2009)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One product. `sources`: its place in the list of each source that found it, from 1."""

    position: int
    ranked: RankedProduct
    sources: Mapping[str, int]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recommendations:
    """`notes`: what could not be asked."""

    products: Sequence[Recommendation]
    notes: Sequence[str] = ()

    @property
    def is_personal(self) -> bool:
        """Whether what the shopper turned to has found one of them."""
        return any(one.sources.keys() & {TASTE, CO_CLICKS} for one in self.products)


class Recommender:
    """Safe to call from several threads, as its parts are."""

    def __init__(
        self,
        index: VectorIndex,
        sources: Sources,
        reranker: Reranker,
        settings: RecommendationSettings,
        availability: Availability,
    ) -> None:
        self._index = index
        self._sources = sources
        self._reranker = reranker
        self._settings = settings
        self._availability = availability

    def find(self, visit: Visit, limit: int, filters: Sequence[Filter] = ()) -> Recommendations:
        """Best first; who has done nothing yet gets what trends, and then what is new.

        Raises IndexUnavailable, IndexRefused.
        """
        filters = self._availability.filters(filters)
        recent, notes = self._recent(visit)
        lists, missing = self._lists(recent, visit, filters)
        candidates = _fused(lists, self._settings.sources.model_dump())
        documents = self._documents([one.product_id for one in candidates], filters)
        present = [one for one in candidates if one.product_id in documents]
        situation = Situation(visit.at, visit.shopper, visit.session, "", KIND, "", visit.context)
        ranked = self._reranker.rerank(situation, present, Rules(places=limit), visit.query_id, explain=visit.explain)
        places = {name: {one: place for place, one in enumerate(found, start=1)} for name, found in lists.items()}
        return Recommendations(
            [
                Recommendation(
                    one.position,
                    one,
                    {
                        name: of[one.candidate.product_id]
                        for name, of in places.items()
                        if one.candidate.product_id in of
                    },
                    documents[one.candidate.product_id],
                )
                for one in ranked.products[:limit]
            ],
            list(dict.fromkeys([*notes, *missing, *([ranked.note] if ranked.note else [])])),
        )

    def _recent(self, visit: Visit) -> tuple[RecentProducts, list[str]]:
        if not visit.shopper:
            return RecentProducts({}), []
        try:
            return self._sources.recent(visit, self._settings.recent_products), []
        except StoreUnavailable:
            return RecentProducts({}), ["what the shopper turned to cannot be read now"]

    def _lists(
        self, recent: RecentProducts, visit: Visit, filters: Sequence[Filter]
    ) -> tuple[dict[str, list[str]], list[str]]:
        """What each source with a weight finds, and which could not be asked."""
        most, weights = self._settings.candidates, self._settings.sources.model_dump()
        ask: dict[str, Callable[[], list[str]]] = {
            TASTE: lambda: self._sources.by_taste(recent, most, filters),
            CO_CLICKS: lambda: self._sources.by_co_clicks(recent, visit.at, most),
            CONTEXT: lambda: self._sources.by_context(visit, most),
            TRENDING: lambda: self._sources.by_trend(visit.at, most),
            NEWEST: lambda: self._sources.by_age(most),
        }
        lists: dict[str, list[str]] = {}
        notes: list[str] = []
        for name, find in ask.items():
            if weights[name] > 0:
                try:
                    lists[name] = find()
                except StoreUnavailable:
                    notes.append(f"{name} was left out: the profile store does not answer now")
        return lists, notes

    def _documents(self, product_ids: Sequence[str], filters: Sequence[Filter]) -> dict[str, dict[str, Any]]:
        """Of those that are there and satisfy the filters, which not every source knows."""
        matchers = [matcher(condition) for condition in filters]
        documents = self._index.documents(product_ids) if product_ids else {}
        return {
            product_id: document
            for product_id, document in documents.items()
            if all(matches(document) for matches in matchers)
        }


def _fused(lists: Mapping[str, Sequence[str]], weights: Mapping[str, float]) -> list[Candidate]:
    """By weighted reciprocal ranks; the best that could be has the score 1. Equal ones by id."""
    whole = sum(weights[name] for name in lists)
    scores: dict[str, float] = {}
    for name, found in lists.items():
        for place, product_id in enumerate(found, start=1):
            share = weights[name] / whole * (_RRF_K + 1) / (_RRF_K + place)
            scores[product_id] = scores.get(product_id, 0.0) + share
    order = sorted(scores, key=lambda product_id: (-scores[product_id], product_id))
    return [Candidate(product_id, position, scores[product_id]) for position, product_id in enumerate(order, start=1)]
