"""How products are kept and found."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


@dataclass(frozen=True, slots=True)
class CollectionClaim:
    """A collection that `owner` alone fills, a consumer group, and that is not the one behind `live_alias`."""

    owner: str
    live_alias: str


class IndexSettings(BaseModel):
    """Which index, where it is, and how it ranks keywords."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["milvus", "memory"] = Field(
        default="milvus", description="memory: exact, within one process, gone when it ends"
    )
    uri: str = Field(default="http://127.0.0.1:19530", pattern=r"^https?://", description="address of Milvus")
    token: SecretStr = Field(
        default=SecretStr(""), description="`user:password` or an API key; empty where none is asked"
    )
    database: str = Field(default="default", min_length=1)
    alias: str = Field(
        default="products",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$",
        description="public name of the collection; the collection behind it can be exchanged",
    )
    timeout_seconds: float = Field(
        default=10.0, gt=0, description="of one request; indexing repeats it, a search fails"
    )
    load_timeout_seconds: float = Field(
        default=120.0, gt=0, description="of creating, loading and flushing a collection"
    )
    vector_index: Literal["AUTO", "HNSW", "IVF_FLAT", "FLAT"] = Field(
        default="AUTO",
        description="of a collection to be created; AUTO is HNSW, on milvus-lite the exact FLAT: HNSW there misses "
        "products behind a filter",
    )
    metric: Literal["IP", "COSINE", "L2"] = Field(
        default="IP",
        description="of a collection to be created: inner product, cosine or Euclidean distance; vectors have length "
        "1, so that all rank alike and scores are cosines",
    )
    hnsw_m: int = Field(default=16, ge=2, le=2048, description="neighbours of a node")
    hnsw_ef_construction: int = Field(default=200, ge=8, description="candidates looked at while building")
    hnsw_ef: int = Field(
        default=128, ge=1, description="candidates looked at while searching; at least the hits asked for"
    )
    ivf_nlist: int = Field(default=128, ge=1, le=65_536, description="clusters of an IVF_FLAT index")
    ivf_nprobe: int = Field(default=16, ge=1, le=65_536, description="nearest clusters that are searched, at most all")
    bm25_k1: float = Field(default=1.2, gt=0, le=3)
    bm25_b: float = Field(default=0.75, ge=0, le=1)
