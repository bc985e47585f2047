"""Reads `catalog.products` to see that what a file says is really there, whatever an import believes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from topics.catalogue import CATALOG_PRODUCTS
from topics.catalogue_files import BadLine
from topics.catalogue_import import ReadProduct
from topics.codec import ProductCodec
from topics.events import InvalidEvent, ProductDeletion, version_of
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord, Snapshot


@dataclass(frozen=True, slots=True)
class Verified:
    """Products of a file by what the topic holds: their version or a newer one, or neither."""

    on_topic: int
    missing: tuple[str, ...]


def newest_versions(items: Iterable[ReadProduct | BadLine]) -> dict[str, int]:
    """The version of each product that its newest line says."""
    versions: dict[str, int] = {}
    for item in items:
        if isinstance(item, ReadProduct):
            product = item.product
            versions[product.id] = max(product.version, versions.get(product.id, 0))
    return versions


def verify_on_topic(
    settings: KafkaSettings, versions: dict[str, int], begun_at: datetime, on_read: Callable[[int], None]
) -> Verified:
    """Read the topic from its first record to where it ends now. `on_read` hears how many products are left.

    A product is there when a record says its version or a newer one, a deletion included: compaction may take the older
    record. So does a deletion without a version that came after the import had begun. Raises BrokerError.
    """
    left = dict(versions)
    if left:
        codec = ProductCodec(settings.product_mapping, settings.max_event_bytes)
        Snapshot(settings, [CATALOG_PRODUCTS]).read(
            partial(_cross_off, left, codec, version_of(begun_at)),
            lambda _: on_read(len(left)),
            enough=lambda: not left,
        )
        on_read(len(left))
    return Verified(len(versions) - len(left), tuple(left))


def _cross_off(left: dict[str, int], codec: ProductCodec, begun_at: int, record: KeptRecord) -> None:
    key = record.key
    if key is not None and not key.startswith(b"{") and key.decode(errors="replace") not in left:
        return  # most of a large topic: not worth reading
    event = codec.decode(key, record.value, record.timestamp_ms, dict(record.headers))
    if isinstance(event, InvalidEvent) or event.id not in left:
        return
    undated = isinstance(event, ProductDeletion) and not event.dated
    if event.version >= (begun_at if undated else left[event.id]):
        del left[event.id]
