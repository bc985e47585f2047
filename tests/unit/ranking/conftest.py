"""A small shop: four products, two of them with pictures."""

from datetime import UTC, datetime

import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from encoders.hash import HashEncoder
from encoders.product_text import text_to_encode
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics, create_metrics
from topics.events import Product

UPDATED = datetime(2026, 11, 1, tzinfo=UTC)
RED, BLUE = (210, 30, 40), (40, 80, 200)
PRODUCTS = {
    "dress": ("Linen dress for summer days", RED, 60.0),
    "shirt": ("Cotton shirt", BLUE, 20.0),
    "lamp": ("Desk lamp, dresses up any office", None, 35.0),
    "连衣裙": ("亚麻连衣裙", None, 50.0),
}


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    return Analyser()


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def index(encoder: HashEncoder, analyser: Analyser) -> MemoryIndex:
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    index.apply([row(product_id, encoder, analyser) for product_id in PRODUCTS])
    return index


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return create_metrics(registry)


def row(product_id: str, encoder: HashEncoder, analyser: Analyser) -> ProductRow:
    title, colour, price = PRODUCTS[product_id]
    product = Product(id=product_id, updated_at=UPDATED, title=title, price=price, currency="EUR")  # type: ignore[arg-type]
    vectors = {TEXT_FIELD: encoder.encode_texts([text_to_encode(product)])[0]}
    if colour is not None:
        vectors[IMAGE_FIELD] = encoder.encode_images([Image.new("RGB", (32, 32), colour)])[0]
    return ProductRow(
        product_id, product.version, document(product), keywords(product, analyser), ContentHashes(), vectors
    )
