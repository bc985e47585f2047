"""What a client may keep."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from index.base import TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document, keywords
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from serving.media_routes import MediaLinks
from topics.events import Product

MakeClient = Callable[..., TestClient]


def again(client: TestClient, path: str, etag: str) -> Any:
    return client.get(path, headers={"If-None-Match": etag})


@pytest.mark.parametrize("path", ["/v1/products/dress", "/openapi.json", "/media/dress.png", "/page/page.css"])
def test_what_the_client_has_is_not_sent_again(make_client: MakeClient, pictures: Path, path: str) -> None:
    client = make_client(links=MediaLinks(pictures))
    first = client.get(path)
    etag = first.headers["etag"]
    assert not etag.startswith("W/")
    for known in (etag, f'"older", W/{etag}', "*"):
        kept = again(client, path, known)
        assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", etag)
        assert kept.headers["cache-control"] == first.headers["cache-control"]
    sent = again(client, path, '"older"')
    assert (sent.status_code, sent.content) == (200, first.content)


def test_a_product_is_asked_for_each_time_and_its_etag_changes_with_it(
    make_client: MakeClient, analyser: Analyser
) -> None:
    index = MemoryIndex(2, 2)
    vectors = {TEXT_FIELD: np.array([1, 0], np.float32)}
    client = make_client(index=index)

    def write(price: int, version: str) -> str:
        fields = {"id": "a/b", "title": "Lamp", "price": price, "currency": "EUR", "updated_at": version}
        product = Product.model_validate(fields)
        words = keywords(product, analyser)
        index.apply([ProductRow(product.id, product.version, document(product), words, ContentHashes(), vectors)])
        answer = client.get("/v1/products/a%2Fb")
        assert answer.json()["price"] == price
        assert answer.headers["cache-control"] == "no-cache"
        return str(answer.headers["etag"])

    first = write(10, "2026-11-21T12:00:00Z")
    second = write(11, "2026-11-21T12:00:01Z")
    assert first != second
    assert again(client, "/v1/products/a%2Fb", first).status_code == 200
    assert again(client, "/v1/products/a%2Fb", second).status_code == 304


def test_a_product_that_is_not_there(client: TestClient) -> None:
    answer = client.get("/v1/products/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-product")
    assert answer.headers["cache-control"] == "no-store"


def test_a_picture_that_is_replaced_has_another_etag_whatever_its_time(make_client: MakeClient, pictures: Path) -> None:
    client = make_client(links=MediaLinks(pictures))
    file = pictures / "dress.png"
    first = client.get("/media/dress.png").headers["etag"]
    content, times = file.read_bytes(), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    file.write_bytes(content + b"more")
    os.utime(file, ns=times)
    assert client.get("/media/dress.png").headers["etag"] != first
    file.write_bytes(content)
    assert client.get("/media/dress.png").headers["etag"] == first


@pytest.mark.parametrize("path", ["/v1/search?q=dress", "/v1/products/dress/similar", "/healthz", "/metrics", "/other"])
def test_what_is_only_true_now_is_not_kept(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
