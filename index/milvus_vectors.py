"""How a collection keeps and compares its vectors: the type and metric of their index, and what a search says to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.settings import IndexSettings


@dataclass(frozen=True, slots=True)
class VectorIndexKind:
    """FLAT, HNSW or IVF_FLAT, compared by IP, COSINE or L2. Over unit vectors all metrics rank alike."""

    index_type: str
    metric: str

    def build_parameters(self, settings: IndexSettings) -> Mapping[str, Any]:
        if self.index_type == "HNSW":
            return {"M": settings.hnsw_m, "efConstruction": settings.hnsw_ef_construction}
        return {"nlist": settings.ivf_nlist} if self.index_type == "IVF_FLAT" else {}

    def search_parameters(self, settings: IndexSettings, limit: int) -> dict[str, Any]:
        """What Milvus takes as `search_params`."""
        params: dict[str, int] = {}
        if self.index_type == "HNSW":
            params = {"ef": max(settings.hnsw_ef, limit)}
        elif self.index_type == "IVF_FLAT":
            params = {"nprobe": min(settings.ivf_nprobe, settings.ivf_nlist)}
        return {"metric_type": self.metric, "params": params}

    def cosine(self, distance: float) -> float:
        """Of two unit vectors, from what Milvus calls their distance: for L2 the square of the Euclidean one."""
        return 1 - distance / 2 if self.metric == "L2" else distance


def wanted_kind(settings: IndexSettings, server_version: str) -> VectorIndexKind:
    """For a new collection."""
    index_type: str = settings.vector_index
    if index_type == "AUTO":
        index_type = "FLAT" if server_version.startswith("milvus_lite") else "HNSW"
    return VectorIndexKind(index_type, settings.metric)
