"""The storefront in a real browser: Playwright with its own Chromium, or with the one that is installed."""

import base64
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from PIL import Image
from prometheus_client import CollectorRegistry

from demo.drawn_shop.products import drawn_products, write_pictures
from encoders.hash import HashEncoder
from encoders.image_sources import ImageSource
from encoders.settings import ImageLimits, ImageSourceSettings
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from monitoring.exposition import render
from monitoring.metrics import create_metrics
from ranking.search import Search
from ranking.settings import RankingSettings
from serving.app import create_app
from serving.services import Services
from serving.settings import ServerSettings
from topics.embedded_broker import MockCluster
from topics.publisher import Publisher
from topics.settings import KafkaSettings

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
pytestmark = pytest.mark.services

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOSTILE = "<img src=x onerror=document.title='broken-in'> umbrella"
SEND_FILE = """([data, kind]) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "query.jpg", { type: "image/jpeg" }));
    const about = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(kind === "paste"
        ? new ClipboardEvent("paste", { ...about, clipboardData: transfer })
        : new DragEvent("drop", { ...about, dataTransfer: transfer }));
}"""


def _index(pictures: Path, encoder: HashEncoder, analyser: Analyser) -> MemoryIndex:
    index = MemoryIndex(encoder.dimension, encoder.dimension)
    for number, drawn in enumerate(write_pictures(drawn_products(30, 1, pictures, NOW))):
        product = drawn.event.model_copy(update={"title": HOSTILE} if number == 0 else {})
        vectors = {TEXT_FIELD: encoder.encode_texts([product.title])[0]}
        vectors[IMAGE_FIELD] = encoder.encode_images([Image.open(drawn.picture)])[0]
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
    return index


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def url(pictures: Path) -> Iterator[str]:
    encoder, analyser, registry, cluster = HashEncoder(), Analyser(), CollectorRegistry(), MockCluster()
    metrics = create_metrics(registry)
    index = _index(pictures, encoder, analyser)
    publisher = Publisher(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers), "test-storefront")
    services = Services(
        search=Search(index, encoder, encoder, analyser, RankingSettings(), metrics),
        index=index,
        publisher=publisher,
        images=ImageSource(ImageSourceSettings()),
        image_limits=ImageLimits(),
        metrics=metrics,
        render_metrics=lambda: render(registry),
        clock=lambda: NOW,
        media_root=pictures,
    )
    config = uvicorn.Config(create_app(ServerSettings(), services), port=0, log_config=None, lifespan="off")
    with config.bind_socket() as socket:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([socket],))
        thread.start()
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        server.should_exit = True
        thread.join()
    publisher.close()
    services.images.close()
    cluster.close()


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
    context.close()
    assert wrong == []


def _search(page: Any, text: str) -> None:
    page.fill("#words", text)
    page.press("#words", "Enter")
    page.wait_for_url(lambda address: parse_qs(urlsplit(address).query).get("q") == [text])
    page.wait_for_selector("#results[aria-busy=false] .card")


def test_a_search_has_an_address_and_shows_cards_with_pictures(page: Any, url: str) -> None:
    _search(page, "red & striped")
    assert page.url == f"{url}/?q=red+%26+striped"
    assert page.locator(".card").count() == 24
    assert "24 results" in page.inner_text("#status")
    assert "€" in page.locator(".price").first.inner_text()
    page.evaluate("document.querySelector('.card img').decode()")
    page.reload()
    page.wait_for_selector(".card")
    assert page.input_value("#words") == "red & striped"


def test_back_and_forward_bring_searches_back(page: Any) -> None:
    _search(page, "watch")
    first = page.inner_text("h3 >> nth=0")
    _search(page, "umbrella")
    page.go_back()
    playwright.expect(page.locator("h3").first).to_have_text(first)
    assert page.input_value("#words") == "watch"
    page.go_back()
    page.wait_for_selector("h1:visible")
    assert page.locator(".card").count() == 0


def test_what_a_shop_sends_stays_text(page: Any) -> None:
    _search(page, "img src onerror umbrella")
    assert HOSTILE in page.locator("h3").all_inner_texts()
    assert page.locator("h3 img").count() == 0
    assert "broken-in" not in page.title()


def test_why_opens_by_keyboard_and_shows_each_leg(page: Any) -> None:
    _search(page, "red striped")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    opened = page.locator("details[open]")
    assert opened.locator("dt").count() == 3
    assert "rank 1" in opened.inner_text()
    widths = opened.locator(".bar i").evaluate_all("bars => bars.map((bar) => parseFloat(bar.style.width))")
    assert sum(widths) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("way", ["button", "drop", "paste"])
def test_a_picture_finds_itself_and_can_be_taken_away(page: Any, pictures: Path, way: str) -> None:
    picture = pictures / "drawn-1-000004.jpg"
    if way == "button":
        page.set_input_files("#file", picture)
    else:
        page.evaluate(SEND_FILE, [base64.b64encode(picture.read_bytes()).decode(), way])
    page.wait_for_selector("#results[aria-busy=false] .card")
    assert page.locator(".card img").first.get_attribute("src") == "/media/drawn-1-000004.jpg"
    page.click("#remove")
    page.wait_for_selector("h1:visible")
    assert not page.is_visible("#chosen")


def test_a_file_that_is_no_picture_and_a_server_that_is_away_are_told(page: Any) -> None:
    page.evaluate(SEND_FILE, [base64.b64encode(b"no picture").decode(), "drop"])
    page.wait_for_selector("#message:visible")
    assert "The picture cannot be read" in page.inner_text("#message")
    page.context.set_offline(True)
    page.click("#again")
    page.wait_for_selector("text=The server does not answer")


def test_the_language_is_changed_and_kept(page: Any) -> None:
    page.click("#language")
    assert page.inner_text("#go") == "搜索"
    page.reload()
    assert page.get_attribute("html", "lang") == "zh-Hans"
    assert page.inner_text("#language") == "English"


def test_an_example_is_a_search(page: Any) -> None:
    page.click("text=蓝色波点雨伞")
    page.wait_for_selector("#results[aria-busy=false] .card")
    assert page.input_value("#words") == "蓝色波点雨伞"
