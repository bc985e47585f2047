"""Indexing from Kafka to searchable, beside the encoder alone on the same texts in batches of the same size.

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
import orjson

from benchmarks.recording import data_folder, record
from cli.import_products import find_mapping
from cli.local_stack import LocalStack, embedded_settings, make_room
from cli.settings import load_settings
from cli.wiring import open_publisher
from encoders.factory import create_text_encoder
from encoders.product_text import text_to_encode
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS
from topics.catalogue_files import BadLine, CatalogueFile
from topics.catalogue_import import ProductReader
from topics.codec import encode_product
from topics.events import Product
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
        alone.append(_encoder_alone())
        through.append(_through_the_path(products))
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


def _through_the_path(products: Sequence[Product]) -> float:
    """Products a second, from the first that a worker received to the last that was searchable."""
    settings = embedded_settings(load_settings(), _WORK)
    make_room(_WORK)  # what an earlier repeat indexed would be stale
    with LocalStack(_WORK, settings, server=False) as stack:
        stack.wait_until_ready(180)
        with open_publisher(stack.settings, "benchmark") as publisher:
            for product in products:
                publisher.publish(CATALOG_PRODUCTS, product.id.encode(), encode_product(product))
        received, searchable = _times(stack.settings.kafka, len(products))
    return len(products) / (max(searchable) - min(received))


def _times(kafka: KafkaSettings, count: int) -> tuple[list[float], list[float]]:
    received: list[float] = []
    searchable: list[float] = []
    deadline = time.monotonic() + 600
    with TopicReader(kafka, [CATALOG_INDEXED]) as reader:
        while len(searchable) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(searchable)} of {count} products were indexed in 600 s")
            for one in reader.read(0.5):
                event = orjson.loads(one.value or b"{}")
                if event["outcome"] != "indexed":
                    raise ValueError(f"{event['product_id']} became {event['outcome']}: this would measure no encoder")
                received.append(event["received_at"])
                searchable.append(event["searchable_at"])
    return received, searchable


def _encoder_alone() -> float:
    command = [sys.executable, "-m", "benchmarks.indexing_throughput"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    return float(json.loads(output.splitlines()[-1]))


def _measure_encoder() -> None:
    texts = [text_to_encode(product) for product in icecat_products(PRODUCTS)]
    encoder = create_text_encoder(load_settings().encoders)
    size = encoder.batch_size
    encoder.encode_texts(texts[:size])
    began = time.perf_counter()
    for start in range(0, len(texts), size):
        encoder.encode_texts(texts[start : start + size])
    sys.stdout.write(f"{len(texts) / (time.perf_counter() - began)}\n")


if __name__ == "__main__":
    _measure_encoder()
