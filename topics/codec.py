"""Bytes to product events and back. Reading never raises for a bad message: it returns an InvalidEvent."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from topics.events import (
    InvalidEvent,
    InvalidReason,
    Product,
    ProductDeletion,
    ProductEvent,
    ProductId,
    Version,
    version_of,
)
from topics.mapping import MappingError, ProductMapping

VERSION_HEADER = "updated_at_us"
_DEBEZIUM_OPERATIONS = ("c", "r", "u", "d")
_MAX_VERSION_DIGITS = 16
_MAX_MICROSECONDS = 10**_MAX_VERSION_DIGITS - 1
_PRODUCT_ID: TypeAdapter[str] = TypeAdapter(ProductId)


class ProductCodec:
    """Reads `catalog.products`: full products, tombstones, and Debezium change envelopes through a mapping."""

    def __init__(self, mapping: ProductMapping | None = None, max_event_bytes: int = 1_000_000) -> None:
        self._mapping = mapping or ProductMapping()
        self._max_event_bytes = max_event_bytes

    def decode(
        self,
        key: bytes | None,
        value: bytes | None,
        timestamp_ms: int,
        headers: Mapping[str, bytes | None] | None = None,
    ) -> ProductEvent | InvalidEvent:
        """The event in one record.

        A null value is a tombstone; its version is the header `updated_at_us`, else the record's own time
        `timestamp_ms`, which on Millrace's topics is the broker's.
        """
        raw = value or b""
        if len(raw) > self._max_event_bytes:
            detail = f"{len(raw)} bytes, {self._max_event_bytes} are allowed"
            return InvalidEvent(InvalidReason.TOO_LARGE, detail, raw)
        if value is None:
            return self._tombstone(key, timestamp_ms, headers or {})
        try:
            event = self._event(value)
        except ValidationError as error:
            return _invalid(error, raw)
        except MappingError as error:
            return InvalidEvent(InvalidReason.INVALID_FIELDS, str(error), raw)
        if key is not None and key != event.id.encode() and self._key_id(key) != event.id:
            detail = f"key {key[:80]!r} is not the product's id {event.id[:80]!r}"
            return InvalidEvent(InvalidReason.KEY_MISMATCH, detail, raw)
        return event

    def _tombstone(
        self, key: bytes | None, timestamp_ms: int, headers: Mapping[str, bytes | None]
    ) -> ProductDeletion | InvalidEvent:
        try:
            product_id = _PRODUCT_ID.validate_python(self._key_id(key))
        except ValidationError:
            return InvalidEvent(InvalidReason.MISSING_KEY, "a tombstone whose key is no product id", b"")
        if VERSION_HEADER not in headers:
            return ProductDeletion(product_id, timestamp_ms * 1000, dated=False)
        version = headers[VERSION_HEADER] or b""  # Kafka's header values may be null
        if not version.isdigit() or len(version) > _MAX_VERSION_DIGITS:
            detail = f"header {VERSION_HEADER} is {version[:40]!r}, not microseconds since 1970"
            return InvalidEvent(InvalidReason.INVALID_VERSION, detail, b"")
        return ProductDeletion(product_id, int(version))

    def _event(self, value: bytes) -> ProductEvent:
        """Most messages are plain products and are read in one step; an envelope is opened only when that fails."""
        try:
            return Product.model_validate_json(value)
        except ValidationError:
            envelope = _envelope(value)
            if envelope is None:
                raise
            return self._row(envelope)

    def _row(self, envelope: Mapping[str, Any]) -> ProductEvent:
        deleted = envelope["op"] == "d"
        part = "before" if deleted else "after"
        if not isinstance(envelope.get(part), dict):
            raise MappingError(f"change envelope with op {envelope['op']!r} has no row in {part!r}")
        row = self._mapping.apply(envelope[part])
        if deleted:
            gone = _DeletedRow.model_validate({"changed_at": _changed_at(envelope), **row})
            return ProductDeletion(gone.id, gone.version())
        row.setdefault("updated_at", _changed_at(envelope))
        return Product.model_validate(row)

    def _key_id(self, key: bytes | None) -> str:
        """The product id in a key: the key itself, or the mapped id of Debezium's key struct."""
        try:
            text = (key or b"").decode()
        except UnicodeDecodeError:
            return ""
        if not text.startswith("{"):
            return text
        try:
            struct = orjson.loads(text)
            row = struct.get("payload", struct)
            return str(self._mapping.apply(row).get("id", text)) if isinstance(row, dict) else text
        except (orjson.JSONDecodeError, MappingError):
            return text


class _DeletedRow(BaseModel):
    """The row as it was before: its own time, if it has one, is the version that the index may hold."""

    id: ProductId
    changed_at: Version
    updated_at: Version | None = None

    def version(self) -> int:
        changed = version_of(self.changed_at)
        return changed if self.updated_at is None else max(changed, version_of(self.updated_at) + 1)


def _changed_at(envelope: Mapping[str, Any]) -> Any:
    """When the database changed the row: in microseconds where the envelope has them (Debezium 2.6)."""
    source = envelope.get("source")
    places = [source, envelope] if isinstance(source, dict) else [envelope]
    for place in places:
        if type(changed := place.get("ts_us")) is int and 0 <= changed <= _MAX_MICROSECONDS:
            return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=changed)
    return next((place["ts_ms"] for place in places if place.get("ts_ms")), None)


def _envelope(value: bytes) -> Mapping[str, Any] | None:
    """Debezium's change envelope, with or without its schema, or None when it is none."""
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if isinstance(document, dict) and isinstance(document.get("payload"), dict):
        document = document["payload"]
    is_envelope = isinstance(document, dict) and document.get("op") in _DEBEZIUM_OPERATIONS and "after" in document
    return document if is_envelope else None


def _invalid(error: ValidationError, raw: bytes) -> InvalidEvent:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    reason = InvalidReason.INVALID_FIELDS
    if first["type"] == "json_invalid":
        reason = InvalidReason.NOT_JSON
    elif place == "updated_at":
        reason = InvalidReason.INVALID_VERSION
    return InvalidEvent(reason, f"{place}: {first['msg']}" if place else first["msg"], raw)


def encode_product(product: Product) -> bytes:
    """The canonical JSON of a product; fields at their defaults are left out."""
    return product.model_dump_json(exclude_defaults=True).encode()


def deletion_headers(version: int) -> dict[str, bytes]:
    """Headers that give a null tombstone its version (microseconds since 1970)."""
    return {VERSION_HEADER: b"%d" % version}
