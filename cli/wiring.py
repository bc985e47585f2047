"""Settings to running parts that several commands share. Faust and FastAPI stay with the processes that need them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from cli.settings import Settings
from encoders.base import Encoder, ImageEncoder
from encoders.factory import create_image_encoder, create_text_encoder
from encoders.image_sources import ImageSource
from feedback.factory import create_store
from feedback.store import ProfileStore
from index.base import IMAGE_FIELD, TEXT_FIELD, VectorIndex, VectorSpace
from index.factory import create_index
from index.settings import CollectionClaim
from index.text_analysis import Analyser
from monitoring.exposition import create_registry
from monitoring.lag import GroupLag
from monitoring.metrics import Metrics, create_metrics
from ranking.catalogue_words import CatalogueWords
from ranking.reranking import Reranker
from ranking.search import Search
from topics.catalogue import CATALOG_PRODUCTS, index_products_group
from topics.clients import client_config
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

    @property
    def vector_dimensions(self) -> dict[str, int]:
        """Of the index's vectors, by field."""
        return {TEXT_FIELD: self.text_encoder.dimension, IMAGE_FIELD: self.image_encoder.dimension}

    def words(self) -> CatalogueWords:
        """The words and brands of all products. Reads the whole index: seconds for ten thousand products."""
        words = CatalogueWords(self.analyser)
        words.learn(self.index.scan())
        words.complete()
        return words

    def search(self, catalogue: CatalogueWords | None = None, reranker: Reranker | None = None) -> Search:
        """Without a `catalogue` no word of a query is corrected, and no brand comes first.

        Without a `reranker` all shoppers see the same.
        """
        return Search(
            self.index,
            self.text_encoder,
            self.image_encoder,
            self.analyser,
            self.settings.ranking,
            self.metrics,
            catalogue,
            reranker,
        )


@contextmanager
def open_parts(
    settings: Settings, *, create_collection: bool = False, claim: CollectionClaim | None = None
) -> Iterator[Parts]:
    """Load the models and open the index. Raises EncoderError, IndexUnavailable, IndexRefused."""
    registry = create_registry()
    with ExitStack() as closing:
        text_encoder = create_text_encoder(settings.encoders)
        image_encoder = create_image_encoder(settings.encoders)
        index = open_index(settings, text_encoder, image_encoder, create=create_collection, claim=claim)
        closing.callback(index.close)
        images = closing.enter_context(ImageSource(settings.encoders.image_sources))
        metrics = create_metrics(registry)
        yield Parts(settings, text_encoder, image_encoder, Analyser(), index, images, registry, metrics)


def open_index(
    settings: Settings, text: Encoder, image: Encoder, *, create: bool = False, claim: CollectionClaim | None = None
) -> VectorIndex:
    """Raises IndexUnavailable, IndexRefused."""
    return create_index(
        settings.index,
        VectorSpace(text.release, text.dimension),
        VectorSpace(image.release, image.dimension),
        create=create,
        claim=claim,
    )


@contextmanager
def open_profile_store(settings: Settings) -> Iterator[ProfileStore]:
    """Raises StoreUnavailable."""
    store = create_store(settings.profiles)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_publisher(settings: Settings, client_id: str, delivery_timeout_seconds: float = 30.0) -> Iterator[Publisher]:
    """Raises PublisherError for settings that no client takes."""
    publisher = Publisher(settings.kafka, client_id, delivery_timeout_seconds)
    try:
        yield publisher
    finally:
        publisher.close()


def index_products_lag(settings: Settings, backfill_alias: str = "") -> GroupLag:
    """How far the live workers are behind `catalog.products`, or those of a backfill."""
    kafka = settings.kafka
    group = kafka.on_broker(index_products_group(backfill_alias))
    return GroupLag(client_config(kafka), group, kafka.on_broker(CATALOG_PRODUCTS))
