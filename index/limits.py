"""What a row must be so that every index can hold it; Milvus sets the sizes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from index.base import TEXT_FIELD, Change, ContentHashes, IndexRefused, ProductRow, Tombstone, Vector
from index.filters import TEXT_COLUMNS, listed_values

MAX_ID_BYTES = 800
MAX_TEXT_BYTES = 65_535  # of one VARCHAR
MAX_NAME_BYTES = 1_000  # of a brand and other short fields
MAX_HASH_BYTES = 200
MAX_DOCUMENT_BYTES = 65_536  # of one JSON field
MAX_LISTED_VALUES = 3_800  # categories and attribute values, 17 bytes each in one VARCHAR

Dimensions = Mapping[str, int]


def check_change(change: Change, dimensions: Dimensions) -> None:
    """Raises IndexRefused with a reason when no index of these dimensions can hold the change."""
    _check_bytes("product id", change.product_id, MAX_ID_BYTES)
    if not 0 <= change.version < 2**63:
        raise IndexRefused(f"version {change.version} is not microseconds since 1970")
    if isinstance(change, Tombstone):
        return
    for name, vector in change.vectors.items():
        _check_vector(name, vector, dimensions)
    if isinstance(change, ProductRow) and TEXT_FIELD not in change.vectors:
        raise IndexRefused(f"a full row needs a {TEXT_FIELD}")
    _check_hashes(change.hashes)
    check_document(change.document)


def check_document(document: Mapping[str, Any]) -> None:
    """Raises IndexRefused with a reason when no index can hold the document, whatever its vectors are."""
    for name in TEXT_COLUMNS[1:]:
        _check_bytes(name, str(document.get(name) or ""), MAX_NAME_BYTES)
    if sum(1 for _ in listed_values(document)) > MAX_LISTED_VALUES:
        raise IndexRefused(f"more than {MAX_LISTED_VALUES} categories and attribute values: send fewer")
    size = len(document_json(document))
    if size > MAX_DOCUMENT_BYTES:
        raise IndexRefused(
            f"the document has {size} bytes, {MAX_DOCUMENT_BYTES} fit: shorten the description or the attributes"
        )


def document_json(document: Mapping[str, object]) -> bytes:
    """Raises IndexRefused for what JSON cannot say."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise IndexRefused(f"the document is no JSON: {error}") from error


def cut_keywords(keywords: str) -> str:
    """As many whole tokens as fit into one field."""
    encoded = keywords.encode()
    if len(encoded) <= MAX_TEXT_BYTES:
        return keywords
    return encoded[: MAX_TEXT_BYTES + 1].rpartition(b" ")[0].decode("utf-8", "ignore")


def _check_vector(name: str, vector: Vector | None, dimensions: Dimensions) -> None:
    if name not in dimensions:
        raise IndexRefused(f"no vector field {name!r}; there are {', '.join(dimensions)}")
    if vector is None:
        if name == TEXT_FIELD:
            raise IndexRefused(f"{TEXT_FIELD} cannot be taken away")
        return
    if vector.shape != (dimensions[name],):
        raise IndexRefused(
            f"{name} has shape {vector.shape}, the index was made for ({dimensions[name]},): "
            "reindex with the present encoder into a new collection"
        )
    if not np.isfinite(vector).all():
        raise IndexRefused(f"{name} holds NaN or infinity")


def _check_hashes(hashes: ContentHashes) -> None:
    for name, value in (("text", hashes.text), ("image_link", hashes.image_link), ("image", hashes.image)):
        _check_bytes(f"content hash {name}", value, MAX_HASH_BYTES)


def _check_bytes(what: str, text: str, limit: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise IndexRefused(f"the {what} is no valid Unicode: {text[:80]!r}") from None
    if not size and what == "product id":
        raise IndexRefused("a product needs an id")
    if size > limit:
        raise IndexRefused(f"the {what} has {size} bytes, {limit} fit")
