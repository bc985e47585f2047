"""The index that the settings name."""

from index.base import VectorIndex
from index.memory import MemoryIndex
from index.settings import IndexSettings


def create_index(settings: IndexSettings, text_dimension: int, image_dimension: int | None) -> VectorIndex:
    """Connect, and create what is missing. Raises IndexUnavailable, or IndexRefused when other dimensions are held."""
    if settings.kind == "memory":
        return MemoryIndex(text_dimension, image_dimension, settings.bm25_k1, settings.bm25_b)
    from index.milvus import MilvusIndex

    return MilvusIndex(settings, text_dimension, image_dimension)
