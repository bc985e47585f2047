"""Settings to running parts: the one place where everything is put together."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.settings import Settings
from encoders.base import Encoder, ImageEncoder
from encoders.factory import create_image_encoder, create_text_encoder
from encoders.image_sources import ImageSource
from index.base import VectorIndex
from index.factory import create_index
from index.text_analysis import Analyser
from monitoring.exposition import create_registry, render
from monitoring.lag import GroupLag
from monitoring.metrics import Metrics, create_metrics
from ranking.search import Search
from serving.services import Services
from streams.indexer import IndexerParts
from streams.worker import WorkerParts
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP
from topics.clients import client_config
from topics.codec import ProductCodec
from topics.publisher import Publisher


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker and a server have in common. `registry` holds the metrics of this process."""

    settings: Settings
    text_encoder: Encoder
    image_encoder: ImageEncoder
    analyser: Analyser
    index: VectorIndex
    images: ImageSource
    registry: Any
    metrics: Metrics

    def search(self) -> Search:
        return Search(
            self.index, self.text_encoder, self.image_encoder, self.analyser, self.settings.ranking, self.metrics
        )


@contextmanager
def open_parts(settings: Settings) -> Iterator[Parts]:
    """Load the models and open the index. Raises EncoderError, IndexUnavailable, IndexRefused."""
    registry = create_registry()
    with ExitStack() as closing:
        text_encoder = create_text_encoder(settings.encoders)
        image_encoder = create_image_encoder(settings.encoders)
        index = create_index(settings.index, text_encoder.dimension, image_encoder.dimension)
        closing.callback(index.close)
        images = closing.enter_context(ImageSource(settings.encoders.image_sources))
        metrics = create_metrics(registry)
        yield Parts(settings, text_encoder, image_encoder, Analyser(), index, images, registry, metrics)


@contextmanager
def open_publisher(settings: Settings, client_id: str) -> Iterator[Publisher]:
    publisher = Publisher(settings.kafka, client_id)
    try:
        yield publisher
    finally:
        publisher.close()


def index_products_lag(settings: Settings) -> GroupLag:
    """How far the workers are behind `catalog.products`."""
    return GroupLag(client_config(settings.kafka), INDEX_PRODUCTS_GROUP, CATALOG_PRODUCTS)


def worker_parts(parts: Parts, publisher: Publisher, lag: GroupLag) -> WorkerParts:
    settings = parts.settings
    indexer = IndexerParts(
        codec=ProductCodec(settings.kafka.product_mapping, settings.kafka.max_event_bytes),
        index=parts.index,
        analyser=parts.analyser,
        text_encoder=parts.text_encoder,
        image_encoder=parts.image_encoder,
        images=parts.images,
        image_limits=settings.encoders.image_sources.limits,
        metrics=parts.metrics,
    )
    return WorkerParts(indexer, publisher, lag.records_wait)


def services(parts: Parts, publisher: Publisher) -> Services:
    root = parts.settings.encoders.image_sources.file_root
    return Services(
        search=parts.search(),
        index=parts.index,
        publisher=publisher,
        images=parts.images,
        image_limits=parts.settings.encoders.image_sources.limits,
        metrics=parts.metrics,
        render_metrics=lambda: render(parts.registry),
        clock=lambda: datetime.now(UTC),
        media_root=Path(root) if root else None,
    )
