"""The index that the settings name."""

from index.base import VectorIndex, VectorSpace
from index.memory import MemoryIndex
from index.settings import CollectionClaim, IndexSettings


def create_index(
    settings: IndexSettings,
    text: VectorSpace,
    image: VectorSpace | None,
    *,
    create: bool = False,
    claim: CollectionClaim | None = None,
) -> VectorIndex:
    """Connect; with `create`, make the collection where there is none.

    Raises IndexUnavailable, or IndexRefused where the collection is missing, holds vectors of another space, or is not
    what the `claim` says.
    """
    if settings.kind == "memory":
        dimension = image.dimension if image is not None else None
        return MemoryIndex(text.dimension, dimension, settings.bm25_k1, settings.bm25_b)
    from index.milvus import MilvusIndex

    return MilvusIndex(settings, text, image, create=create, claim=claim)
