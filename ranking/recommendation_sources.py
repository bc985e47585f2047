"""Where recommendations come from: each source gives product ids, the best first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from feedback.profiles import Deed
from feedback.reading import StateReader
from index.base import IMAGE_FIELD, TEXT_FIELD, Filter, Vector, VectorIndex, VectorQuery
from ranking.newest import NewestProducts
from ranking.queries import Visit
from ranking.trending import Trending

Vectors = Callable[[Sequence[str]], Mapping[str, Mapping[str, Vector]]]  # of products, by field

TASTE = "taste"
CO_CLICKS = "co_clicks"
CONTEXT = "context"
TRENDING = "trending"
NEWEST = "newest"

_WEIGHTS = dict.fromkeys((Deed.CLICK, Deed.VIEW, Deed.WATCH, Deed.DWELL), 1.0) | {
    Deed.ADD_TO_CART: 3.0,
    Deed.PURCHASE: 5.0,
}


@dataclass(frozen=True, slots=True)
class RecentProducts:
    """What a shopper turned to last, each once with how much it counts now, the newest first."""

    weights: Mapping[str, float]


class Sources:
    """Safe to call from several threads, as its parts are."""

    def __init__(
        self, index: VectorIndex, vectors: Vectors, reader: StateReader, trending: Trending, newest: NewestProducts
    ) -> None:
        self._index = index
        self._vectors = vectors
        self._reader = reader
        self._trending = trending
        self._newest = newest

    def recent(self, visit: Visit, most: int) -> RecentProducts:
        """Of the whole profile, and once more of the session that goes on. Raises StoreUnavailable."""
        recent = self._reader.read(visit.shopper, (), "", visit.at).recent
        faded = self._reader.long_term_weights(recent, visit.at) + self._reader.session_weights(
            recent, visit.session, visit.at
        )
        weights: dict[str, float] = {}
        for product_id, deed, left in zip(recent.product_ids, recent.deeds.tolist(), faded.tolist(), strict=True):
            if deed in _WEIGHTS and (product_id in weights or len(weights) < most):
                weights[product_id] = weights.get(product_id, 0.0) + _WEIGHTS[Deed(deed)] * left
        return RecentProducts(weights)

    def by_taste(self, recent: RecentProducts, most: int, filters: Sequence[Filter]) -> list[str]:
        """Nearest to the faded mean of the recent products' vectors, by text and by picture in turn.

        Raises IndexUnavailable, IndexRefused.
        """
        vectors = self._vectors(list(recent.weights))
        found: list[list[str]] = []
        for field in (TEXT_FIELD, IMAGE_FIELD):
            weighed = [
                weight * vectors[product_id][field]
                for product_id, weight in recent.weights.items()
                if field in vectors.get(product_id, {})
            ]
            mean = _unit(np.sum(weighed, axis=0)) if weighed else None
            if mean is not None:
                hits = self._index.search(VectorQuery(field, mean), most + len(recent.weights), filters)
                found.append([hit.product_id for hit in hits])
        return _without(_in_turn(found), recent)[:most]

    def by_co_clicks(self, recent: RecentProducts, at: float, most: int) -> list[str]:
        """What was turned to in the same sessions as the recent products, by any shopper. Raises StoreUnavailable."""
        ids = list(recent.weights)
        sums: dict[str, float] = {}
        for product_id, others in zip(ids, self._reader.co_clicked(ids, at), strict=True):
            for other, strength in others.items():
                sums[other] = sums.get(other, 0.0) + recent.weights[product_id] * strength
        return _without(sorted(sums, key=lambda other: (-sums[other], other)), recent)[:most]

    def by_context(self, visit: Visit, most: int) -> list[str]:
        """What is chosen most at this time of day and at this place, in turn. Raises StoreUnavailable."""
        return _in_turn([list(chosen) for chosen in self._reader.chosen(visit.context, visit.at)])[:most]

    def by_trend(self, at: float, most: int) -> list[str]:
        return [trend.product_id for trend in self._trending.top(datetime.fromtimestamp(at, UTC), most)]

    def by_age(self, most: int) -> list[str]:
        return self._newest.top(most)


def _unit(vector: Vector) -> Vector | None:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 1e-9 else None


def _in_turn(lists: Sequence[Sequence[str]]) -> list[str]:
    places = range(max(map(len, lists), default=0))
    return list(dict.fromkeys(found[place] for place in places for found in lists if place < len(found)))


def _without(found: Sequence[str], recent: RecentProducts) -> list[str]:
    """The shopper knows those."""
    return [product_id for product_id in found if product_id not in recent.weights]
