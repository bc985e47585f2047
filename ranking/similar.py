"""Products like a given one: recommendations that need no history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.base import IMAGE_FIELD, TEXT_FIELD, Filter, VectorIndex, VectorQuery
from ranking.availability import Availability
from ranking.fusion import Leg
from ranking.queries import SearchHit
from ranking.retrieval import Retrieval
from ranking.settings import RankingSettings

_FIELDS: Mapping[Leg, Literal["text_vector", "image_vector"]] = {Leg.TEXT: TEXT_FIELD, Leg.IMAGE: IMAGE_FIELD}


@dataclass(frozen=True, slots=True)
class SimilarRequest:
    """`filters` must hold for what is found, not for the product itself."""

    product_id: str
    limit: int = 10
    filters: Sequence[Filter] = ()


class SimilarProducts:
    """Safe to call from several threads, as its index is."""

    def __init__(self, index: VectorIndex, retrieval: Retrieval, settings: RankingSettings) -> None:
        self._index = index
        self._retrieval = retrieval
        self._weights = settings.similar_products.by_leg()
        self._availability = Availability(settings.availability)
        self._candidates = settings.candidates

    def find(self, request: SimilarRequest) -> list[SearchHit] | None:
        """The nearest by text and picture, best first, without the product itself; None where there is none."""
        vectors = self._index.vectors([request.product_id]).get(request.product_id)
        if vectors is None:
            return None
        queries = {
            leg: VectorQuery(field, vectors[field])
            for leg, field in _FIELDS.items()
            if field in vectors and self._weights[leg] > 0
        }
        depth = max(self._candidates, request.limit + 1)
        found = self._retrieval.find(queries, depth, self._availability.filters(request.filters))
        fused = self._retrieval.fuse(found, self._weights, depth)
        others = [product for product in fused if product.product_id != request.product_id][: request.limit]
        documents = self._index.documents([product.product_id for product in others])
        present = [product for product in others if product.product_id in documents]  # some may be deleted by now
        late = self._availability.late(found)
        return [
            SearchHit(
                position,
                product.product_id,
                product.score,
                documents[product.product_id],
                product.legs,
                behind=late.get(product.product_id, ""),
            )
            for position, product in enumerate(present, start=1)
        ]
