"""The whole API over the exact index, the encoder without a model, and a broker in this process."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from encoders.hash import HashEncoder
from encoders.image_sources import ImageSource
from encoders.settings import ImageLimits, ImageSourceSettings
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, ProductRow, VectorIndex
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import render
from monitoring.metrics import Metrics, create_metrics
from ranking.availability import Availability
from ranking.hand_set import HandSetRanker
from ranking.newest import NewestProducts
from ranking.rankers import FeatureSource
from ranking.recommendation_settings import RecommendationSettings
from ranking.recommendation_sources import Sources
from ranking.recommendations import Recommender
from ranking.reranking import Reranker
from ranking.reranking_settings import RerankingSettings
from ranking.search import Search
from ranking.settings import AvailabilityRules, RankingSettings, TrendingSettings
from ranking.stock import Stock
from ranking.trending import Trending
from ranking.trending_products import TrendingProducts
from serving.announcements import Announcements
from serving.app import create_app
from serving.media_routes import MediaLinks
from serving.openapi_examples import EVENT, NEIGHBOUR, PRODUCT
from serving.services import Services
from serving.settings import ServerSettings
from tests.unit.ranking.taste_features import DECLARED, TasteFeatures
from topics.behavior import BehaviorEvent
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES, CATALOG_PRODUCTS, SHOPPERS_ERASED
from topics.embedded_broker import MockCluster
from topics.events import Product
from topics.publisher import Publisher
from topics.settings import KafkaSettings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RED, BLUE = (210, 30, 40), (40, 80, 200)
SHOP = (
    ("dress", "Linen dress", "Loom", ("Clothing", "Dresses"), 60, {"colour": "red", "size": 38, "washable": True}, RED),
    ("shirt", "Cotton shirt", "Loom", ("Clothing",), 20, {"colour": "blue"}, BLUE),
    ("lamp", "Desk lamp with a fabric dress", "Lux", ("Home",), 35, {}, None),
)
FIGURES = {"query_id", "request_id", "score", "contribution", "took_ms", "steps_ms"}

MakeClient = Callable[..., TestClient]


def png(colour: tuple[int, int, int] = BLUE, size: tuple[int, int] = (32, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaSettings]:
    cluster = MockCluster()
    for topic in (CATALOG_PRODUCTS, BEHAVIOR_EVENTS, BEHAVIOR_QUERIES, SHOPPERS_ERASED):
        cluster.create_topic(topic, 1)
    yield KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    cluster.close()


@pytest.fixture(scope="session")
def publisher(kafka: KafkaSettings) -> Iterator[Publisher]:
    publisher = Publisher(kafka, "test-serving")
    yield publisher
    publisher.close()


@pytest.fixture(scope="session")
def analyser() -> Analyser:
    return Analyser()


@pytest.fixture(scope="session")
def index(analyser: Analyser) -> MemoryIndex:
    encoder = HashEncoder()
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for product_id, title, brand, categories, price, attributes, colour in SHOP:
        product = Product.model_validate(
            {
                "id": product_id,
                "title": title,
                "brand": brand,
                "categories": categories,
                "price": price,
                "currency": "EUR",
                "attributes": attributes,
                "updated_at": NOW,
            }
        )
        vectors = {TEXT_FIELD: encoder.encode_texts([title])[0]}
        if colour is not None:
            vectors[IMAGE_FIELD] = encoder.encode_images([Image.new("RGB", (32, 32), colour)])[0]
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
    return index


def index_by_title(products: Sequence[Mapping[str, Any]], analyser: Analyser) -> MemoryIndex:
    encoder = HashEncoder()
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for fields in products:
        product = Product.model_validate({**fields, "updated_at": "2026-11-20T09:30:00Z"})
        vectors = {TEXT_FIELD: encoder.encode_texts([product.title])[0]}
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
    return index


@pytest.fixture(scope="session")
def images() -> Iterator[ImageSource]:
    with ImageSource(ImageSourceSettings()) as images:
        yield images


def make_recommender(
    index: VectorIndex, store: ProfileStore, trending: Trending, newest: NewestProducts, reranker: Reranker
) -> Recommender:
    sources = Sources(index, index.vectors, StateReader(store, ProfileSettings()), trending, newest)
    return Recommender(index, sources, reranker, RecommendationSettings(), Availability(AvailabilityRules()))


def make_reranker(features: FeatureSource, metrics: Metrics, stock: Stock | None = None, **settings: Any) -> Reranker:
    options = RerankingSettings.model_validate(
        {"features": DECLARED, "weights": {"score": 1.0, "position": -0.001, "taste": 1.0}} | settings
    )
    ranker = HandSetRanker(options.weights)
    return Reranker(features, ranker, options, Availability(AvailabilityRules()), stock or Stock(), metrics)


@pytest.fixture
def services(index: MemoryIndex, analyser: Analyser, publisher: Publisher, images: ImageSource) -> Iterator[Services]:
    registry = CollectorRegistry()
    metrics = create_metrics(registry)
    encoder = HashEncoder()
    reranker = make_reranker(TasteFeatures(), metrics)
    store, trending, newest = MemoryStore(), Trending(TrendingSettings()), NewestProducts()
    newest.learn(index.scan())
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), metrics, reranker=reranker)) as search:
        yield Services(
            search=search,
            reranker=reranker,
            index=index,
            publisher=publisher,
            images=images,
            product_images=images,
            image_limits=ImageLimits(),
            metrics=metrics,
            announcements=Announcements(metrics),
            trending=TrendingProducts(index, trending, AvailabilityRules()),
            recommender=make_recommender(index, store, trending, newest, reranker),
            profiles=store,
            profile_settings=ProfileSettings(),
            render_metrics=lambda: render(registry),
            clock=lambda: NOW,
            links=MediaLinks(None),
        )


@pytest.fixture
def make_client(services: Services) -> MakeClient:
    """A client of an app with these settings; other services may be named by keyword."""

    def make(settings: ServerSettings | None = None, **other: object) -> TestClient:
        app = create_app(settings or ServerSettings(), replace(services, **other))  # type: ignore[arg-type]
        return TestClient(app, raise_server_exceptions=False)

    return make


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


@pytest.fixture
def shop(make_client: MakeClient, services: Services, analyser: Analyser) -> Iterator[TestClient]:
    """The API over the products of the description's examples; its key is "secret"."""
    encoder, index = HashEncoder(), index_by_title([PRODUCT, NEIGHBOUR], analyser)
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), services.metrics)) as search:
        trends = Trending(TrendingSettings())
        trends.count(BehaviorEvent.model_validate(EVENT), NOW)
        yield make_client(
            ServerSettings(api_key=SecretStr("secret")),
            search=search,
            index=index,
            images=Mock(fetch=lambda _: png(RED, (64, 64))),
            product_images=Mock(fetch=lambda _: png(RED, (64, 64))),
            trending=TrendingProducts(index, trends, AvailabilityRules()),
            recommender=make_recommender(index, services.profiles, trends, NewestProducts(), services.reranker),
        )


def without_figures(value: Any) -> Any:
    """An answer without what depends on the models, the clock or chance."""
    if isinstance(value, dict):
        return {name: without_figures(one) for name, one in value.items() if name not in FIGURES}
    return [without_figures(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "dress.png").write_bytes(png(RED))
    (folder / "notes.txt").write_text("not for the public")
    (folder / "page.svg").write_text("<svg/>")
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "way-out.png").symlink_to(tmp_path / "secret.png")
    return folder
