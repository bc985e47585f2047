"""What the legs find, as one list."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from index.base import Filter, Query, ScoredProduct, VectorIndex
from ranking.availability import Availability
from ranking.fusion import FusedProduct, Leg, RankedLegs, Weights, fuse_reciprocal_ranks, fuse_weighted
from ranking.settings import RankingSettings

_THREADS = 64


class Retrieval:
    """Asks the index leg by leg, all at once. Safe to use from several threads."""

    def __init__(self, index: VectorIndex, settings: RankingSettings) -> None:
        self._index = index
        self._settings = settings
        self._availability = Availability(settings.availability)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="search-leg")

    def close(self) -> None:
        """End the threads; the index stays open."""
        self._threads.shutdown()

    def ask(self, query: Query, depth: int, filters: Sequence[Filter]) -> Future[list[ScoredProduct]]:
        """The best `depth` products of one leg, while the caller goes on."""
        return self._threads.submit(self._index.search, query, depth, filters)

    def find(
        self, queries: Mapping[Leg, Query], depth: int, filters: Sequence[Filter]
    ) -> dict[Leg, list[ScoredProduct]]:
        """The best `depth` products of each leg. Raises IndexUnavailable, IndexRefused."""
        searches = {leg: self.ask(query, depth, filters) for leg, query in queries.items()}
        return {leg: search.result() for leg, search in searches.items()}

    def fuse(
        self, found: RankedLegs, weights: Weights, depth: int, of_brands: Collection[str] = ()
    ) -> list[FusedProduct]:
        """Block of candidates after block, so that a deeper page goes on where the one before it ended.

        `of_brands`: those of what was found that are of a brand that the query names, as a leg of their own. Within a
        block stands last what the rules of availability put there.
        """
        products: dict[str, FusedProduct] = {}
        for end in range(self._settings.candidates, depth + self._settings.candidates, self._settings.candidates):
            block = {leg: hits[:end] for leg, hits in found.items()}
            if of_brands:
                candidates = dict.fromkeys(hit.product_id for hits in block.values() for hit in hits)
                block[Leg.BRANDS] = [ScoredProduct(id_, 1.0) for id_ in candidates if id_ in of_brands]
            if self._settings.fusion == "rrf":
                fused = fuse_reciprocal_ranks(block, weights, self._settings.rrf_k)
            else:
                fused = fuse_weighted(block, weights, self._settings.keyword_places)
            for product in self._availability.last(fused, block):
                products.setdefault(product.product_id, product)
        return list(products.values())
