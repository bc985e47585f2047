"""A small shop behind its storefront, and a browser: Playwright's own Chromium, or the one that is installed."""

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from PIL import Image
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from cli.learning_page import write_learning_pages
from demo.drawn_shop.products import drawn_products, write_pictures
from encoders.hash import HashEncoder
from encoders.image_sources import ImageSource
from encoders.settings import ImageLimits, ImageSourceSettings
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import render
from monitoring.metrics import Metrics, create_metrics
from ranking.availability import Availability
from ranking.catalogue_words import CatalogueWords
from ranking.features import DeclaredFeatures
from ranking.hand_set import HandSetRanker
from ranking.newest import NewestProducts
from ranking.product_table import declared_table
from ranking.recommendation_sources import Sources
from ranking.recommendations import Recommender
from ranking.reranking import Reranker
from ranking.search import Search
from ranking.settings import RankingSettings, TrendingSettings
from ranking.stock import Stock
from ranking.trending import Trending
from ranking.trending_products import TrendingProducts
from serving.announcements import Announcements
from serving.app import create_app
from serving.media_routes import MediaLinks
from serving.services import Services
from serving.settings import ServerSettings
from tests.unit.demo.learnt_rounds import SHOPPERS, rounds
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES
from topics.embedded_broker import MockCluster
from topics.publisher import Publisher
from topics.settings import KafkaSettings

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EVERYTHING = "plain striped dotted checked"  # a word of each product
HOSTILE = "<img src=x onerror=document.title='broken-in'> umbrella"


def _index(pictures: Path, encoder: HashEncoder, analyser: Analyser) -> MemoryIndex:
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for number, drawn in enumerate(write_pictures(drawn_products(30, 1, pictures, NOW))):
        attributes = {**drawn.event.attributes, "gift": number % 3 == 0}
        title = HOSTILE if number == 0 else drawn.event.title
        product = drawn.event.model_copy(update={"title": title, "attributes": attributes})
        vectors = {TEXT_FIELD: encoder.encode_texts([product.title])[0]}
        vectors[IMAGE_FIELD] = encoder.encode_images([Image.open(drawn.picture)])[0]
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
    return index


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return create_metrics(CollectorRegistry())


@pytest.fixture(scope="module")
def announcements(metrics: Metrics) -> Announcements:
    """What the page hears of products that become searchable."""
    return Announcements(metrics)


@pytest.fixture(scope="module")
def trending() -> Trending:
    """What the page shows as trending."""
    return Trending(TrendingSettings())


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSettings]:
    cluster = MockCluster()
    for topic in (BEHAVIOR_EVENTS, BEHAVIOR_QUERIES):
        cluster.create_topic(topic, 1)
    yield KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    cluster.close()


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """What is known of shoppers."""
    return MemoryStore()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> ServerSettings:
    learning = tmp_path_factory.mktemp("learning") / "shoppers.html"
    server = ServerSettings(pseudonym_key=SecretStr("k"), learning_page=str(learning))
    write_learnt(server, 3)
    return server


@pytest.fixture(scope="module")
def url(
    pictures: Path,
    metrics: Metrics,
    announcements: Announcements,
    trending: Trending,
    kafka: KafkaSettings,
    store: MemoryStore,
    server: ServerSettings,
) -> Iterator[str]:
    encoder, analyser, registry = HashEncoder(), Analyser(), CollectorRegistry()
    index = _index(pictures, encoder, analyser)
    publisher = Publisher(kafka, "test-storefront")
    settings = RankingSettings(text_floor=0.3, image_floor=0.3)
    words = CatalogueWords(analyser)
    words.learn(index.scan())
    words.complete()
    newest = NewestProducts()
    reader = StateReader(store, ProfileSettings())
    table = declared_table(settings.reranking.features)
    table.learn(index.scan())
    newest.learn(index.scan())
    availability = Availability(settings.availability)
    reranker = Reranker(
        DeclaredFeatures(settings.reranking.features, table, reader),
        HandSetRanker(settings.reranking.weights),
        settings.reranking,
        availability,
        Stock(),
        metrics,
    )
    sources = Sources(index, index.vectors, reader, trending, newest)
    services = Services(
        search=Search(index, encoder, encoder, analyser, settings, metrics, words, reranker),
        reranker=reranker,
        index=index,
        publisher=publisher,
        images=ImageSource(ImageSourceSettings()),
        product_images=ImageSource(ImageSourceSettings(file_root=str(pictures))),
        image_limits=ImageLimits(),
        metrics=metrics,
        announcements=announcements,
        trending=TrendingProducts(index, trending, settings.availability),
        recommender=Recommender(index, sources, reranker, settings.recommendations, availability),
        profiles=store,
        profile_settings=ProfileSettings(),
        render_metrics=lambda: render(registry),
        clock=lambda: NOW,
        links=MediaLinks(pictures),
    )
    config = uvicorn.Config(create_app(server, services), port=0, log_config=None, lifespan="off")
    with config.bind_socket() as socket:
        address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([socket],))
        thread.start()
        yield address
        announcements.close()
        server.should_exit = True
        thread.join()
    publisher.close()
    services.images.close()
    services.product_images.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as api:
        own = Path(api.chromium.executable_path).exists()
        installed = None if own else shutil.which("chromium")
        if not own and installed is None:
            pytest.skip("no Chromium: playwright install chromium")
        browser = api.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """At the start page, in English; the test fails when the page breaks its policy, throws, or asks elsewhere."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Security Policy" in message.text else None)
    page.on("request", lambda request: request.url.startswith((url, "blob:", "data:")) or wrong.append(request.url))
    page.goto(url)
    yield page
    page.unroute_all(behavior="wait")  # a request of the page may be on its way still
    context.close()
    assert wrong == []


def write_learnt(server: ServerSettings, sessions: int) -> None:
    """As shoppers do who know the shop by another address than the browser."""
    write_learning_pages(Path(server.learning_page), rounds(sessions), SHOPPERS, "http://shop.internal/", ended=False)


def tells(action: str) -> Callable[[Any], bool]:
    """Whether a request tells the shop of such an action: what else the page has to tell may be on its way, too."""
    return lambda request: request.url.endswith("/v1/events") and f'"{action}"' in (request.post_data or "")


def search(page: Any, text: str) -> None:
    page.fill("#words", text)
    page.press("#words", "Enter")
    page.wait_for_url(lambda address: parse_qs(urlsplit(address).query).get("q") == [text])
    page.wait_for_selector("#results[aria-busy=false] .card")
