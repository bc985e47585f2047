"""Trending products with their documents: a recommendation that needs no history of the shopper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from index.base import Filter, VectorIndex
from index.filters import matcher
from ranking.trending import Trend, Trending

_AT_ONCE = 100
_MOST_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class TrendingHit:
    """One product, with what was done to it."""

    position: int
    trend: Trend
    document: Mapping[str, Any]


class TrendingProducts:
    """What `trending` has counted, shown. Safe to call from several threads, as its index is."""

    def __init__(self, index: VectorIndex, trending: Trending) -> None:
        self._index = index
        self.trending = trending

    def find(self, now: datetime, limit: int, filters: Sequence[Filter] = ()) -> list[TrendingHit]:
        """Of the thousand that trend most those that are there and satisfy the filters, best first.

        Raises IndexUnavailable, IndexRefused.
        """
        matchers = [matcher(condition) for condition in filters]
        trends = self.trending.top(now, _MOST_LOOKED_AT)
        hits: list[TrendingHit] = []
        for start in range(0, len(trends), _AT_ONCE):
            if len(hits) >= limit:
                break
            block = trends[start : start + _AT_ONCE]
            documents = self._index.documents([trend.product_id for trend in block])
            self.trending.forget(trend.product_id for trend in block if trend.product_id not in documents)
            for trend in block:
                document = documents.get(trend.product_id)
                if document is not None and all(matches(document) for matches in matchers):
                    hits.append(TrendingHit(len(hits) + 1, trend, document))
        return hits[:limit]
