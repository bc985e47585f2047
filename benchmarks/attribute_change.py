"""What a change of price costs beside a new product: the indexer with real models on milvus-lite, in this process."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.recording import record
from cli.local_settings import embedded_settings
from cli.settings import changed_settings, load_settings
from cli.wiring import open_parts
from demo.drawn_shop.products import drawn_products, write_picture
from index.embedded_milvus import EmbeddedMilvus
from streams.indexer import Indexer, IndexerParts
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import ProductCodec, encode_product
from topics.events import Product

PRODUCTS = 512
REPEATS = 3
LIMIT = "an attribute-only change at least 10 times cheaper than a full one"
_WORK = Path(".bench/attribute-change")


@dataclass(frozen=True, slots=True)
class _Record:
    key: bytes
    value: bytes
    topic: str = CATALOG_PRODUCTS
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def run() -> None:
    shutil.rmtree(_WORK, ignore_errors=True)
    settings = embedded_settings(load_settings(), _WORK)
    full, partial = [], []
    with EmbeddedMilvus(_WORK / "milvus") as milvus:
        settings = changed_settings(settings, {"index": {"uri": milvus.uri}})
        with open_parts(settings, create_collection=True) as parts:
            indexer = Indexer(
                IndexerParts(
                    ProductCodec(), parts.index, parts.analyser, parts.text_encoder, parts.image_encoder, parts.images,
                    settings.encoders.image_sources.limits, parts.metrics,
                ),
                picture_fetchers=1,
            )  # fmt: skip
            for repeat in range(REPEATS):
                products = _products(repeat)
                full.append(_milliseconds(lambda: _index(indexer, products)))  # noqa: B023 - called at once
                cheaper = [_reduced(product) for product in products]
                partial.append(_milliseconds(lambda: _index(indexer, cheaper)))  # noqa: B023 - called at once
    ratio = float(np.median(full) / np.median(partial))
    result = {
        "products": PRODUCTS,
        "times_cheaper": round(ratio, 1),
        "full_ms_per_product": [round(ms, 3) for ms in full],
        "attribute_only_ms_per_product": [round(ms, 3) for ms in partial],
    }
    record("attribute_change", LIMIT, result)


def _products(seed: int) -> list[Product]:
    drawn = list(drawn_products(PRODUCTS, seed, _WORK / "pictures", datetime(2026, 1, 1, tzinfo=UTC)))
    (_WORK / "pictures").mkdir(parents=True, exist_ok=True)
    for product in drawn:
        write_picture(product)
    return [product.event for product in drawn]


def _reduced(product: Product) -> Product:
    changes = {"price": Decimal("1.00"), "updated_at": product.updated_at + timedelta(days=1)}
    return product.model_copy(update=changes)


def _index(indexer: Indexer, products: Sequence[Product]) -> None:
    size = indexer.batch_size
    for start in range(0, len(products), size):
        records = [_Record(product.id.encode(), encode_product(product)) for product in products[start : start + size]]
        indexer.write(indexer.encode(indexer.prepare(records, 0.0)))


def _milliseconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / PRODUCTS * 1000
