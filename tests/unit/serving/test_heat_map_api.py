"""GET and POST /v1/products/{id}/heatmap."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.hash import HashEncoder
from encoders.image_sources import ImageSource
from encoders.settings import ImageSourceSettings
from index.base import TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document
from index.memory import MemoryIndex
from serving.settings import ServerSettings
from tests.unit.serving.conftest import BLUE, NOW, RED, MakeClient, png
from topics.events import Product

SIDE = 140
LINKS = {
    "skirt/2": "file:skirt.png",
    "gone": "file:gone.png",
    "inside": "http://127.0.0.1:9/secret.png",
    "bare": None,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    skirt = Image.new("RGB", (SIDE, SIDE), "white")
    skirt.paste(RED, (0, 0, SIDE // 2, SIDE // 2))
    skirt.save(tmp_path / "skirt.png")
    return tmp_path


@pytest.fixture
def parts(folder: Path) -> Iterator[dict[str, Any]]:
    index = MemoryIndex(256, 256)
    for name, link in LINKS.items():
        product = Product(id=name, updated_at=NOW, title=name, image_links=(link,) if link else ())
        vectors = {TEXT_FIELD: HashEncoder().encode_texts([name])[0]}
        index.apply([ProductRow(name, product.version, document(product), "", ContentHashes(), vectors)])
    with ImageSource(ImageSourceSettings(file_root=str(folder), retries=0)) as images:
        yield {"index": index, "product_images": images}


@pytest.fixture
def shop(make_client: MakeClient, parts: dict[str, Any]) -> TestClient:
    return make_client(**parts)


def _hot(values: list[list[float]]) -> set[tuple[int, int]]:
    return {(row, column) for row, cells in enumerate(values) for column, value in enumerate(cells) if value > 0.5}


def test_the_map_of_a_text_lies_where_the_picture_has_it(shop: TestClient) -> None:
    answer = shop.get("/v1/products/skirt%2F2/heatmap", params={"q": "red"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["product_id"] == "skirt/2"
    assert -1 <= body["similarity"] <= 1
    assert max(max(row) for row in body["values"]) == 1
    assert {len(row) for row in body["values"]} == {len(body["values"])} == {7}
    assert all(row < 5 and column < 5 for row, column in _hot(body["values"]))


def test_a_picture_can_be_sent_alone_or_with_words(shop: TestClient) -> None:
    files = {"image": ("blue.png", png(BLUE))}
    alone = shop.post("/v1/products/skirt%2F2/heatmap", files=files)
    both = shop.post("/v1/products/skirt%2F2/heatmap", files=files, data={"text": "this, but red"})
    assert (alone.status_code, both.status_code) == (200, 200), both.text
    assert both.json()["similarity"] > alone.json()["similarity"]


def test_its_time_is_measured(shop: TestClient) -> None:
    shop.get("/v1/products/skirt%2F2/heatmap", params={"q": "red"})
    assert 'millrace_search_seconds_count{step="heat_map"} 1.0' in shop.get("/metrics").text


@pytest.mark.parametrize(
    ("product", "query", "status", "problem"),
    [
        ("never-was", {"q": "red"}, 404, "unknown-product"),
        ("bare", {"q": "red"}, 404, "no-picture"),
        ("gone", {"q": "red"}, 404, "no-picture"),
        ("inside", {"q": "red"}, 404, "no-picture"),
        ("skirt%2F2", {}, 422, "invalid-fields"),
        ("skirt%2F2", {"q": "red", "limit": 0}, 422, "invalid-fields"),
    ],
)
def test_what_has_no_map_is_told(
    shop: TestClient, product: str, query: dict[str, Any], status: int, problem: str
) -> None:
    answer = shop.get(f"/v1/products/{product}/heatmap", params=query)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}"), answer.text
    assert "127.0.0.1" not in answer.text


def test_a_map_that_takes_too_long_is_given_up(make_client: MakeClient, parts: dict[str, Any]) -> None:
    hasty = make_client(ServerSettings(heat_map_timeout_seconds=1e-6), **parts)
    answer = hasty.get("/v1/products/skirt%2F2/heatmap", params={"q": "red"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/heat-map-too-slow")
    assert "Retry-After" in answer.headers


def test_a_product_picture_that_came_too_late_gets_no_map(make_client: MakeClient, parts: dict[str, Any]) -> None:
    search = Mock()
    late = make_client(ServerSettings(heat_map_timeout_seconds=1e-6), **parts, search=search)
    answer = late.get("/v1/products/skirt%2F2/heatmap", params={"q": "red"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/heat-map-too-slow")
    search.heat_map.assert_not_called()


def test_slow_image_hosts_hold_up_no_heat_map_without_a_link(make_client: MakeClient, parts: dict[str, Any]) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slow(_: str) -> bytes:
        asked.set()
        answered.wait(30)
        return png(RED)

    settings = ServerSettings(max_heat_maps=1, max_image_url_queries=1)
    path, link = "/v1/products/skirt%2F2/heatmap", {"image_url": "https://slow.example/a.png"}
    with make_client(settings, **parts, images=Mock(fetch=slow)) as client, ThreadPoolExecutor(1) as other:
        waiting = other.submit(client.get, path, params=link)
        try:
            assert asked.wait(30)
            for url in (path, "/v1/search"):
                refused = client.get(url, params=link)
                assert (refused.status_code, refused.json()["type"]) == (503, "/problems/too-many-image-urls")
            assert client.get(path, params={"q": "red"}).status_code == 200
        finally:
            answered.set()
        assert waiting.result().status_code == 200
