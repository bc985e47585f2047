"""`millrace serve`: the process that answers shoppers."""

import atexit
import gc
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import setproctitle

from cli.catalogue_reading import CatalogueKnowledge, CatalogueReader, StyleLearner
from cli.following import follow_behavior, follow_indexed
from cli.process_checks import require_shared_index, require_shared_profiles, require_topics
from cli.settings import Settings, changed_settings
from cli.wiring import Parts, open_parts, open_profile_store, open_publisher
from encoders.image_sources import ImageSource
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.store import ProfileStore
from monitoring.exposition import render
from ranking.availability import Availability
from ranking.features import DeclaredFeatures
from ranking.product_vectors import ProductVectors
from ranking.ranker_factory import create_ranker
from ranking.recommendation_sources import Sources
from ranking.recommendations import Recommender
from ranking.reranking import Reranker
from ranking.trending import Trending
from ranking.trending_products import TrendingProducts
from serving.announcements import Announcements
from serving.app import create_app
from serving.indexed_products import IndexedProducts
from serving.media_routes import MediaLinks
from serving.server import run_server
from serving.services import Services
from topics.admin import BrokerError
from topics.catalogue import CATALOG_PRODUCTS
from topics.publisher import Publisher

logger = logging.getLogger(__name__)

_MOST_STORE_SECONDS = 0.5


def serve(settings: Settings) -> None:
    """Answer HTTP until a signal."""
    setproctitle.setproctitle("millrace serve")
    require_shared_index(settings)
    require_shared_profiles(settings)
    _tell_if_broker_is_away(settings)
    _tell_of_weights_without_a_feature(settings)
    with (
        open_parts(settings, create_collection=True) as parts,
        open_publisher(settings, "millrace-serve") as publisher,
        open_profile_store(_read_quickly(settings)) as profiles,
        open_services(parts, publisher, catalogue := _catalogue(parts), profiles) as services,
    ):
        products = IndexedProducts(parts.index, services.links, services.announcements)
        styles = StyleLearner(parts.index, catalogue.table, parts.vector_dimensions)
        reader = CatalogueReader(parts.index, catalogue.words, catalogue.newest, catalogue.stock, styles)
        with (
            # The follower first: what is indexed while the catalogue is read must not be missed.
            follow_indexed(settings.kafka, parts.metrics, [products.hear, reader.hear], services.clock),
            reader,
            follow_behavior(settings.kafka, parts.metrics, services.trending.trending, services.clock),
        ):
            app = create_app(settings.server, services)
            spare_searches_the_collector()
            run_server(app, settings.server, services.announcements.close)


def spare_searches_the_collector() -> None:
    """What is there now stays until the process ends: no search waits while the collector looks through it."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # else nanobind takes all of triton for leaked, and fills the log with it


@contextmanager
def open_services(
    parts: Parts,
    publisher: Publisher,
    catalogue: CatalogueKnowledge | None = None,
    profiles: ProfileStore | None = None,
) -> Iterator[Services]:
    """What the HTTP API works with. What is given stays open.

    Without a `catalogue` no query is corrected and nothing is recommended for being new; without `profiles` nothing is
    known of shoppers.
    """
    workers, ranking = parts.settings.encoders.image_sources, parts.settings.ranking
    words = catalogue.words if catalogue is not None else None
    catalogue = catalogue or _catalogue(parts)
    store = profiles or MemoryStore()
    reader = StateReader(store, parts.settings.profiles)
    availability = Availability(ranking.availability)
    ranker = create_ranker(ranking.reranking)
    features = DeclaredFeatures(ranking.reranking.features, catalogue.table, reader)
    reranker = Reranker(features, ranker, ranking.reranking, availability, catalogue.stock, parts.metrics)
    trending = Trending(ranking.trending)
    vectors = ProductVectors(parts.index, catalogue.table, parts.vector_dimensions)
    sources = Sources(parts.index, vectors.of, reader, trending, catalogue.newest)
    # Strangers ask: no way into the private network, and an answer at once, as for an address that is private.
    shoppers = workers.model_copy(update={"allowed_private_hosts": (), "file_root": "", "retries": 0})
    with closing(parts.search(words, reranker)) as search, ImageSource(shoppers) as images:
        yield Services(
            search=search,
            reranker=reranker,
            index=parts.index,
            publisher=publisher,
            images=images,
            product_images=parts.images,
            image_limits=workers.limits,
            metrics=parts.metrics,
            announcements=Announcements(parts.metrics, parts.settings.server.max_event_streams),
            trending=TrendingProducts(parts.index, trending, ranking.availability),
            recommender=Recommender(parts.index, sources, reranker, ranking.recommendations, availability),
            profiles=store,
            profile_settings=parts.settings.profiles,
            render_metrics=lambda: render(parts.registry),
            clock=lambda: datetime.now(UTC),
            links=MediaLinks(Path(workers.file_root) if workers.file_root else None),
        )


def _catalogue(parts: Parts) -> CatalogueKnowledge:
    return CatalogueKnowledge(parts.analyser, parts.settings.ranking.reranking.features)


def _read_quickly(settings: Settings) -> Settings:
    """A search does not wait long for what is known of shoppers: it goes on without."""
    seconds = min(settings.profiles.timeout_seconds, _MOST_STORE_SECONDS)
    return changed_settings(settings, {"profiles": {"timeout_seconds": seconds}})


def _tell_of_weights_without_a_feature(settings: Settings) -> None:
    reranking = settings.ranking.reranking
    if unknown := reranking.weights.keys() - {feature.name for feature in reranking.features}:
        logger.warning("ranking.reranking.weights of features that are not declared: %s", ", ".join(sorted(unknown)))


def _tell_if_broker_is_away(settings: Settings) -> None:
    """A server starts all the same: searches need no broker, and each write is refused with the reason."""
    try:
        require_topics(settings, [CATALOG_PRODUCTS])
    except BrokerError as error:
        logger.error("%s. Searches are answered; product changes get 503 until that is mended", error)
