"""Indexing from Kafka to searchable, beside the encoder alone on the very batches that the worker cut.

Both run with the same settings in processes of their own, in turns. The whole path shares the machine with the
embedded broker and milvus-lite; the encoder alone has it to itself.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.recording import data_folder, record
from cli.import_products import find_mapping
from cli.local_settings import embedded_settings
from cli.local_stack import LocalStack, make_room
from cli.settings import load_settings
from cli.wiring import open_publisher
from encoders.factory import create_text_encoder
from encoders.product_text import text_to_encode
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS
from topics.catalogue_files import BadLine, CatalogueFile
from topics.catalogue_import import ProductReader
from topics.codec import encode_product
from topics.events import Product, ProductIndexed
from topics.reader import TopicReader
from topics.settings import KafkaSettings

PRODUCTS = 1_000
REPEATS = 3
LIMIT = "from Kafka to searchable at least 0.90 of the encoder alone (goal 0.95)"
_WORK = Path(".bench/indexing-throughput")


def run() -> None:
    products = icecat_products(PRODUCTS)
    alone, through = [], []
    for _ in range(REPEATS):
        rate, batches = _through_the_path(products)
        through.append(rate)
        alone.append(_encoder_alone(products, batches))
    ratios = [path / encoder for path, encoder in zip(through, alone, strict=True)]
    result = {
        "products": PRODUCTS,
        "ratio": round(float(np.median(ratios)), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "encoder_alone_per_second": [round(rate, 1) for rate in alone],
        "kafka_to_searchable_per_second": [round(rate, 1) for rate in through],
    }
    record("indexing_throughput", LIMIT, result)


def icecat_products(count: int) -> list[Product]:
    """The first products of the Icecat catalogue."""
    reader = ProductReader(find_mapping("icecat_chorus"), datetime.now(UTC), KafkaSettings().max_event_bytes)
    with CatalogueFile(data_folder() / "icecat_chorus" / "products.jsonl.gz") as opened:
        items = (item for item in reader.products(opened.records()) if not isinstance(item, BadLine))
        return [item.product for item in islice(items, count)]


def _through_the_path(products: Sequence[Product]) -> tuple[float, list[list[str]]]:
    """Products a second, from the first that a worker received to the last that was searchable; and its batches."""
    settings = embedded_settings(load_settings(), _WORK)
    make_room(_WORK)  # what an earlier repeat indexed would be stale
    with LocalStack(_WORK, settings, server=False) as stack:
        stack.wait_until_ready(180)
        with open_publisher(stack.settings, "benchmark") as publisher:
            for product in products:
                publisher.publish(CATALOG_PRODUCTS, product.id.encode(), encode_product(product))
        outcomes = _outcomes(stack.settings.kafka, len(products))
    batches: dict[float, list[str]] = {}  # what was written together became searchable at one moment
    for outcome in outcomes:
        batches.setdefault(outcome.searchable_at, []).append(outcome.product_id)
    seconds = max(batches) - min(outcome.received_at for outcome in outcomes)
    return len(products) / seconds, [batches[moment] for moment in sorted(batches)]


def _outcomes(kafka: KafkaSettings, count: int) -> list[ProductIndexed]:
    found: list[ProductIndexed] = []
    deadline = time.monotonic() + 600
    with TopicReader(kafka, [CATALOG_INDEXED]) as reader:
        while len(found) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} products were indexed in 600 s")
            for one in reader.read(0.5):
                outcome = ProductIndexed.model_validate_json(one.value or b"{}")
                if outcome.outcome != "indexed":
                    raise ValueError(f"{outcome.product_id} became {outcome.outcome}: no encoder would be measured")
                found.append(outcome)
    return found


def _encoder_alone(products: Sequence[Product], batches: Sequence[Sequence[str]]) -> float:
    texts = {product.id: text_to_encode(product) for product in products}
    encoded = json.dumps([[texts[product_id] for product_id in batch] for batch in batches])
    command = [sys.executable, "-m", "benchmarks.indexing_throughput"]
    output = subprocess.run(command, input=encoded, capture_output=True, text=True, check=True, timeout=600).stdout
    return float(json.loads(output.splitlines()[-1]))


def _measure_encoder(batches: Sequence[Sequence[str]]) -> None:
    encoder = create_text_encoder(load_settings().encoders)
    encoder.encode_texts(batches[0])
    began = time.perf_counter()
    for batch in batches:
        encoder.encode_texts(batch)
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{sum(map(len, batches)) / seconds}\n")


if __name__ == "__main__":
    _measure_encoder(json.load(sys.stdin))
