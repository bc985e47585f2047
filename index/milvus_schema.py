"""The collection as Milvus sees it: its columns, its indexes, and a change as the row that is written."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymilvus import CollectionSchema, DataType, Function, FunctionType, MilvusClient
from pymilvus.milvus_client.index import IndexParams

from index.base import (
    IMAGE_FIELD,
    TEXT_FIELD,
    Change,
    ContentHashes,
    IndexedState,
    IndexRefused,
    LogPosition,
    PartialUpdate,
    Tombstone,
    Vector,
    VectorSpace,
)
from index.filters import NUMBER_COLUMNS, TEXT_COLUMNS, facet, key, listed_values, numbers
from index.limits import (
    MAX_HASH_BYTES,
    MAX_ID_BYTES,
    MAX_NAME_BYTES,
    MAX_TEXT_BYTES,
    Dimensions,
    cut_keywords,
)
from index.milvus_vectors import VectorIndexKind
from index.settings import IndexSettings

KEYWORDS = "keywords"
KEYWORD_WEIGHTS = "keyword_weights"
FACETS = "facets"
NUMBERS = "numbers"
HAS_PREFIX = "has_"
LOG_TIME, LOG_OFFSET = "log_time_ms", "log_offset"
STATE_COLUMNS = ["id", "version", "deleted", "text_hash", "image_link_hash", "image_hash", LOG_TIME, LOG_OFFSET]
FACET_SEPARATOR = "|"

Row = dict[str, Any]
Spaces = Mapping[str, VectorSpace]


def create_schema(spaces: Spaces) -> CollectionSchema:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, max_length=MAX_ID_BYTES, is_primary=True)
    schema.add_field("version", DataType.INT64)
    schema.add_field("deleted", DataType.BOOL)
    for name in (LOG_TIME, LOG_OFFSET):
        schema.add_field(name, DataType.INT64)
    for name in ("text_hash", "image_link_hash", "image_hash"):
        schema.add_field(name, DataType.VARCHAR, max_length=MAX_HASH_BYTES)
    for name in TEXT_COLUMNS[1:]:
        schema.add_field(name, DataType.VARCHAR, max_length=MAX_NAME_BYTES)
    for name in NUMBER_COLUMNS:
        schema.add_field(name, DataType.DOUBLE, nullable=True)
    schema.add_field(FACETS, DataType.VARCHAR, max_length=MAX_TEXT_BYTES)
    schema.add_field(NUMBERS, DataType.JSON)
    schema.add_field("document", DataType.JSON)
    schema.add_field(
        KEYWORDS,
        DataType.VARCHAR,
        max_length=MAX_TEXT_BYTES,
        enable_analyzer=True,
        analyzer_params={"type": "standard"},
    )
    schema.add_field(KEYWORD_WEIGHTS, DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function("bm25", FunctionType.BM25, input_field_names=[KEYWORDS], output_field_names=[KEYWORD_WEIGHTS])
    )
    for name, space in spaces.items():
        schema.add_field(name, DataType.FLOAT_VECTOR, dim=space.dimension)
        schema.add_field(HAS_PREFIX + name, DataType.BOOL)
    return schema


def create_properties(spaces: Spaces) -> dict[str, str]:
    """What the collection says of its vectors: descriptions of fields are forgotten by milvus-lite."""
    return {_release_property(name): space.release for name, space in spaces.items()}


def create_index_params(settings: IndexSettings, spaces: Spaces, kind: VectorIndexKind) -> dict[str, IndexParams]:
    """The index of each vector field and of the keywords."""
    # Under the name `params` once more: milvus-lite takes no notice of parameters that stand for themselves.
    vectors = {"params": kind.build_parameters(settings)}
    bm25 = {"params": {"bm25_k1": settings.bm25_k1, "bm25_b": settings.bm25_b}}
    indexes = {name: MilvusClient.prepare_index_params() for name in (*spaces, KEYWORD_WEIGHTS)}
    for name in spaces:
        indexes[name].add_index(name, index_type=kind.index_type, metric_type=kind.metric, params=vectors)
    indexes[KEYWORD_WEIGHTS].add_index(
        KEYWORD_WEIGHTS, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=bm25
    )
    return indexes


def check_schema(collection: str, description: Mapping[str, Any], spaces: Spaces) -> None:
    """Raises IndexRefused when a collection that is already there cannot hold these products."""
    wanted = {field.name for field in create_schema(spaces).fields}
    held = {field["name"]: field for field in description["fields"]}
    if missing := sorted(wanted - held.keys()):
        raise IndexRefused(
            f"collection {collection!r} has no {', '.join(missing)}: it is another program's or an older version's; "
            "choose another alias, or reindex into a new collection"
        )
    for name, space in spaces.items():
        dimension = int(held[name]["params"]["dim"])
        release = description["properties"].get(_release_property(name), "an unknown encoder")
        if VectorSpace(release, dimension) != space:
            raise IndexRefused(
                f"collection {collection!r} holds {name} of {release} ({dimension} dimensions), the settings say "
                f"{space.release} ({space.dimension}): choose another index.alias and index the catalogue again, or "
                "go back to the encoder it was filled with"
            )


def row_of(change: Change, dimensions: Dimensions) -> Row:
    """The columns to write. A partial update names only the vectors that change; everything else names all columns."""
    document: Mapping[str, Any] = {} if isinstance(change, Tombstone) else change.document
    hashes = ContentHashes() if isinstance(change, Tombstone) else change.hashes
    row: Row = {
        "id": change.product_id,
        "version": change.version,
        "deleted": isinstance(change, Tombstone),
        LOG_TIME: change.position.timestamp,
        LOG_OFFSET: change.position.offset,
        "text_hash": hashes.text,
        "image_link_hash": hashes.image_link,
        "image_hash": hashes.image,
        FACETS: _facet_list(document),
        NUMBERS: {key(field): value for field, value in numbers(document)},
        "document": dict(document),
        KEYWORDS: "" if isinstance(change, Tombstone) else cut_keywords(change.keywords),
    }
    row |= {name: str(document.get(name) or "") for name in TEXT_COLUMNS[1:]}
    row |= {name: document.get(name) for name in NUMBER_COLUMNS}
    vectors: Mapping[str, Vector | None] = {} if isinstance(change, Tombstone) else change.vectors
    for name, dimension in dimensions.items():
        if name in vectors or not isinstance(change, PartialUpdate):
            vector = vectors.get(name)
            row[name] = np.zeros(dimension, np.float32) if vector is None else vector.astype(np.float32, copy=False)
            row[HAS_PREFIX + name] = vector is not None
    return row


def state_of(row: Mapping[str, Any]) -> IndexedState:
    hashes = ContentHashes(row["text_hash"], row["image_link_hash"], row["image_hash"])
    position = LogPosition(int(row[LOG_TIME]), int(row[LOG_OFFSET]))
    return IndexedState(int(row["version"]), bool(row["deleted"]), hashes, position)


def vector_spaces(text: VectorSpace, image: VectorSpace | None) -> dict[str, VectorSpace]:
    return {TEXT_FIELD: text} | ({IMAGE_FIELD: image} if image is not None else {})


def _release_property(name: str) -> str:
    return f"millrace.{name}.release"


def _facet_list(document: Mapping[str, Any]) -> str:
    found = dict.fromkeys(facet(field, value) for field, value in listed_values(document))
    return FACET_SEPARATOR + "".join(one + FACET_SEPARATOR for one in found) if found else ""
