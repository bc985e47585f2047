"""GET and POST /v1/search."""

import base64
import io
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.image_sources import ImageSource
from encoders.settings import ImageSourceSettings
from index.base import Filter, IndexRefused, IndexUnavailable, Query, ScoredProduct
from index.memory import MemoryIndex
from serving.search_models import SearchResponse
from serving.settings import ServerSettings

MakeClient = Callable[..., TestClient]
JSON = {"Content-Type": "application/json"}
WAIT_SECONDS = 10.0
UNREACHABLE = "unreachable: no picture could be fetched from image_url"


def picture(kind: str = "PNG", size: tuple[int, int] = (32, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (40, 80, 200)).save(file, kind)
    return file.getvalue()


def claimed_png(width: int, height: int) -> bytes:
    """A PNG whose header promises pixels that are not there."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"")
    chunks = (header, b"IDAT" + pixels, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["product"]["id"] for result in answer.json()["results"]]


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].removeprefix("/problems/")


def test_a_text_query_answers_products_with_position_and_score(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "dress", "limit": 2})
    response = SearchResponse.model_validate_json(answer.content)
    assert [result.product["id"] for result in response.results] == ["dress", "lamp"]
    assert [result.position for result in response.results] == [1, 2]
    assert response.results[0].score > response.results[1].score
    assert response.results[0].explanation is None
    assert response.steps_ms is None


def test_each_answer_has_an_id_of_its_own(client: TestClient) -> None:
    ids = {client.get("/v1/search?q=dress").json()["query_id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("method", ["get", "json", "form"])
def test_an_explanation_adds_up_to_the_score(client: TestClient, method: str) -> None:
    if method == "get":
        answer = client.get("/v1/search?q=red+dress&explain=true")
    elif method == "json":
        answer = client.post("/v1/search", json={"text": "red dress", "explain": True})
    else:
        answer = client.post("/v1/search", data={"explain": "true"}, files={"text": (None, "red dress")})
    response = SearchResponse.model_validate_json(answer.content)
    best = response.results[0]
    assert best.explanation is not None
    assert set(best.explanation) == {"text", "keywords", "image"}
    assert sum(leg.contribution for leg in best.explanation.values()) == pytest.approx(best.score)
    assert response.steps_ms is not None
    assert set(response.steps_ms) == {"encode_text", "encode_image", "retrieve", "fuse", "rerank", "documents"}


def test_an_explanation_names_the_words_that_a_product_has(client: TestClient) -> None:
    answer = client.get("/v1/search?q=LINEN+dresses+of+silk&explain=true")
    terms = {
        result["product"]["id"]: result["explanation"]["keywords"]["terms"]
        for result in answer.json()["results"]
        if "terms" in result["explanation"].get("keywords", {})
    }
    assert terms == {"dress": ["LINEN", "dresses"], "lamp": ["dresses"]}


def test_pages_continue_one_list(client: TestClient) -> None:
    whole = found(client.get("/v1/search?q=dress"))
    assert whole == [found(client.get(f"/v1/search?q=dress&limit=1&offset={offset}"))[0] for offset in range(3)]
    assert client.get("/v1/search?q=dress&offset=1").json()["results"][0]["position"] == 2


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"price_max": 40}, {"shirt", "lamp"}),
        ({"price_min": 30, "price_max": 40}, {"lamp"}),
        ({"brand": "Loom"}, {"dress", "shirt"}),
        ({"brand": ["Loom", "Lux"], "category": "Clothing"}, {"dress", "shirt"}),
        ({"category": "Dresses"}, {"dress"}),
        ({"availability": "out_of_stock"}, set()),
        ({"filter": "attributes.colour:blue"}, {"shirt"}),
        ({"filter": ["attributes.colour:blue", "attributes.colour:red"]}, {"dress", "shirt"}),
        ({"filter": ["attributes.colour:red", "brand:Lux"]}, set()),
        ({"filter": "attributes.size:38"}, {"dress"}),
        ({"filter": "attributes.washable:true"}, {"dress"}),
        ({"filter": "price:20"}, {"shirt"}),
        ({"filter": ["id:lamp", "id:dress"]}, {"lamp", "dress"}),
    ],
)
def test_filters_of_the_query_string(client: TestClient, parameters: dict[str, Any], expected: set[str]) -> None:
    assert set(found(client.get("/v1/search", params={"q": "dress"} | parameters))) == expected


def test_filters_of_a_json_query(client: TestClient) -> None:
    filters = [{"field": "price", "at_least": 20, "at_most": 50}, {"field": "brand", "any_of": ["Lux", "Other"]}]
    assert found(client.post("/v1/search", json={"text": "dress", "filters": filters})) == ["lamp"]
    numbers = [{"field": "attributes.size", "any_of": [38]}, {"field": "attributes.washable", "any_of": [True]}]
    assert found(client.post("/v1/search", json={"text": "dress", "filters": numbers})) == ["dress"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_an_uploaded_picture_finds_pictures_like_it(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/search", files={"image": ("query", picture(kind), "application/octet-stream")})
    assert found(answer) == ["shirt", "dress"]
    assert answer.json()["kind"] == "picture"


def test_a_picture_in_base64_finds_the_same(client: TestClient) -> None:
    assert found(client.post("/v1/search", json={"image_base64": encoded(picture())})) == ["shirt", "dress"]


def test_picture_and_text_together(client: TestClient) -> None:
    answer = client.post(
        "/v1/search",
        files={"image": ("query.png", picture())},
        data={"text": "dress", "brand": ["Loom", "Lux"], "price_min": "", "limit": "5"},
    )
    assert answer.json()["kind"] == "text_and_picture"
    assert set(found(answer)) == {"dress", "shirt", "lamp"}


def test_a_form_whose_file_was_not_chosen_is_a_text_query(client: TestClient) -> None:
    answer = client.post(
        "/v1/search",
        content=b'--b\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n\r\n'
        b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\ndress\r\n--b--\r\n',
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.json()["kind"] == "text"
    assert found(answer)[0] == "dress"


@pytest.mark.parametrize(
    "text", ["🎉", "قميص قطن", "connected\u0000text", "a" * 1000, "'; DROP TABLE", "🏳️‍🌈 dress", "\u202edress"]
)
def test_any_text_is_searched_for(client: TestClient, text: str) -> None:
    assert len(found(client.post("/v1/search", json={"text": text}))) == 3
    assert len(found(client.get("/v1/search", params={"q": text}))) == 3


def test_what_is_left_out_is_noted(client: TestClient) -> None:
    assert client.get("/v1/search?q=%F0%9F%8E%89").json()["notes"] == [
        "keywords was left out: the query has no words to look up"
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", None),
        ("q=", None),
        ("q=+++", None),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=101", "limit"),
        ("q=a&limit=ten", "limit"),
        ("q=a&offset=-1", "offset"),
        ("q=a&offset=999999999999999999999999", "offset"),
        ("q=a&limit=100&offset=950", None),
        ("query=a", "query"),
        ("q=" + "a" * 1001, "q"),
        ("q=a&language=not+a+tag", "language"),
        ("q=a&price_min=nan", "price_min"),
        ("q=a&price_max=-5", "price_max"),
        ("q=a&availability=gone", "availability.0"),
        ("q=a&filter=red", "filter"),
        ("q=a&filter=colour:red", "filter"),
        ("q=a&filter=price:cheap", "filter"),
        ("q=a&image_url=file:///etc/passwd", "image_url"),
        ("q=a&image_url=data:image/png;base64,AAAA", "image_url"),
    ],
)
def test_a_query_string_that_cannot_be_used(client: TestClient, query: str, parameter: str | None) -> None:
    answer = client.get(f"/v1/search?{query}")
    assert problem(answer) == (422, "invalid-fields")
    if parameter is not None:
        assert answer.json()["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"text": 5}', "#/text"),
        (b'{"text": "a", "limits": 5}', "#/limits"),
        (b'{"text": "a", "filters": [{"field": "price"}]}', "#/filters/0"),
        (b'{"text": "a", "filters": [{"field": "brand", "at_most": 1}]}', "#/filters/0"),
        (b'{"text": "a", "filters": [{"field": "price", "at_most": 1e999}]}', "#/filters/0/at_most"),
        (b'{"text": "a", "filters": [{"field": "price", "at_most": NaN}]}', "#/filters/0/at_most"),
        (b'{"image_base64": "<html>"}', "#/image_base64"),
        (b'{"image_base64": "AAAA", "image_url": "https://shop.example/a.png"}', "#"),
        (b"[]", "#"),
    ],
)
def test_a_json_query_that_cannot_be_used(client: TestClient, body: bytes, pointer: str) -> None:
    answer = client.post("/v1/search", content=body, headers=JSON)
    assert problem(answer) == (422, "invalid-fields")
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"text": "a"', b"[" * 100_000, b'{"text": "\\ud800"}', b'{"text": "\xff"}']
)
def test_what_is_no_json_is_said_to_be_none(client: TestClient, body: bytes) -> None:
    assert problem(client.post("/v1/search", content=body, headers=JSON)) == (400, "invalid-json")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<!doctype html><html>not found</html>", "not_an_image"),
        (b"", "not_an_image"),
        (claimed_png(100_000, 100_000), "too_many_pixels"),
        (picture()[:60], "broken"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported_format"),
    ],
)
def test_a_picture_that_is_none(client: TestClient, data: bytes, name: str) -> None:
    answer = client.post("/v1/search", files={"image": ("query.png", data, "image/png")})
    assert problem(answer) == (422, "unusable-picture")
    assert name in answer.json()["detail"]
    assert problem(client.post("/v1/search", json={"image_base64": encoded(data)})) == (422, "unusable-picture")


@pytest.mark.parametrize(
    ("files", "data"),
    [
        ([("image", ("a.png", b"a")), ("image", ("b.png", b"b"))], {}),
        ([("other", ("a.png", b"a"))], {"text": "a"}),
        ([("image", (None, b"a"))], {}),
        ([("image", ("a.png", b"a"))], {"image_url": "https://shop.example/a.png"}),
        ([("text", (None, b"a")), ("text", (None, b"b"))], {}),
        ([("text", (None, b"a")), ("q", (None, b"b"))], {}),
    ],
)
def test_a_form_that_cannot_be_used(client: TestClient, files: Any, data: dict[str, str]) -> None:
    status, _ = problem(client.post("/v1/search", files=files, data=data))
    assert status in (400, 422)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_form_that_is_none(client: TestClient, content_type: str) -> None:
    assert problem(client.post("/v1/search", content=b"garbage", headers={"Content-Type": content_type}))[0] == 400


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "image/png", ""])
def test_a_body_of_another_kind(client: TestClient, content_type: str) -> None:
    answer = client.post("/v1/search", content=b'{"text": "a"}', headers={"Content-Type": content_type})
    assert problem(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/a.png",
        "http://localhost/a.png",
        "http://[::1]/a.png",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_link_to_a_private_address_is_refused_without_a_word_about_it(client: TestClient, link: str) -> None:
    answer = client.get("/v1/search", params={"image_url": link})
    assert problem(answer) == (422, "unusable-picture")
    assert answer.json()["detail"] == UNREACHABLE


@pytest.mark.parametrize("link", ["https://xn--/", "http://xn--a", "http://[::1"])
def test_a_link_that_is_none_is_a_problem_of_the_query(client: TestClient, link: str) -> None:
    for answer in (
        client.get("/v1/search", params={"image_url": link}),
        client.post("/v1/search", json={"image_url": link}),
    ):
        assert problem(answer) == (422, "unusable-picture")
        assert answer.json()["detail"].startswith("invalid_link: ")


def unknown_host(host: str, port: int) -> list[str]:
    raise OSError(f"{host} is not known")


def private_host(host: str, port: int) -> list[str]:
    return ["10.0.0.7"]


def test_a_link_without_a_picture_is_a_problem_even_beside_text(make_client: MakeClient) -> None:
    with ImageSource(ImageSourceSettings(retries=0), resolve=unknown_host) as images:
        answer = make_client(images=images).get("/v1/search?q=dress&image_url=https://nowhere.example/a.png")
    assert problem(answer) == (422, "unusable-picture")


def test_a_private_name_and_one_that_is_not_known_are_answered_alike(make_client: MakeClient) -> None:
    details = []
    for resolve in (private_host, unknown_host):
        with ImageSource(ImageSourceSettings(retries=0), resolve=resolve) as images:
            answer = make_client(images=images).get("/v1/search?image_url=https://vault.corp.example/a.png")
        assert problem(answer) == (422, "unusable-picture")
        details.append(answer.json()["detail"])
    assert details == [UNREACHABLE, UNREACHABLE]


@pytest.mark.parametrize(
    ("status", "body", "reason"), [(403, b"", "http_status"), (200, b"root:x:0:0", "not_an_image")]
)
def test_what_a_link_answered_is_not_told_to_strangers(
    make_client: MakeClient, status: int, body: bytes, reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as host:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))

        served = host.submit(serve)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with ImageSource(ImageSourceSettings(allowed_private_hosts=(address,))) as images:
            answer = make_client(images=images).get(f"/v1/search?image_url=http://{address}/secret")
        served.result()
    assert problem(answer) == (422, "unusable-picture")
    assert answer.json()["detail"] == f"{reason}: no picture could be fetched from image_url"


def test_slow_image_hosts_hold_up_no_search_without_a_link(make_client: MakeClient) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slow(host: str, port: int) -> list[str]:
        asked.set()
        answered.wait(WAIT_SECONDS)
        raise OSError(f"{host} is not known")

    slow_query = {"image_url": "https://slow.example/a.png"}
    with (
        ImageSource(ImageSourceSettings(retries=0), resolve=slow) as images,
        make_client(ServerSettings(max_image_url_queries=1), images=images) as client,
        ThreadPoolExecutor(1) as other,
    ):
        waiting = other.submit(client.get, "/v1/search", params=slow_query)
        try:
            assert asked.wait(WAIT_SECONDS)
            for refused in (client.get("/v1/search", params=slow_query), client.post("/v1/search", json=slow_query)):
                assert problem(refused) == (503, "too-many-image-urls")
                assert int(refused.headers["retry-after"]) > 0
            assert found(client.get("/v1/search?q=dress"))
        finally:
            answered.set()
        assert problem(waiting.result()) == (422, "unusable-picture")
        assert problem(client.get("/v1/search", params=slow_query)) == (422, "unusable-picture")


def test_an_index_that_is_down_is_a_503_that_says_when_to_come_back(
    client: TestClient, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(query: Query, limit: int, filters: tuple[Filter, ...] = ()) -> list[ScoredProduct]:
        raise IndexUnavailable("http://milvus.internal:19530 does not answer")

    monkeypatch.setattr(index, "search", down)
    answer = client.get("/v1/search?q=dress")
    assert problem(answer) == (503, "index-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "milvus.internal" not in answer.text
    assert "milvus.internal" in caplog.text


def test_what_the_index_refuses_is_a_422_that_the_log_tells_too(
    client: TestClient, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(query: Query, limit: int, filters: tuple[Filter, ...] = ()) -> list[ScoredProduct]:
        raise IndexRefused("no such field")

    monkeypatch.setattr(index, "search", refuse)
    answer = client.get("/v1/search?q=dress", headers={"X-Request-ID": "shop-42"})
    assert problem(answer) == (422, "invalid-fields")
    assert "shop-42 was refused by the index: no such field" in caplog.text
