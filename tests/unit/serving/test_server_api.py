"""What every route has in common, and the routes for operators and pages."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from fastapi.testclient import TestClient

from index.base import IndexUnavailable
from index.memory import MemoryIndex
from serving.app import create_app
from serving.media_routes import MediaLinks
from serving.problems import PROBLEMS
from serving.server import warn_of_missing_keys
from serving.services import Services
from serving.settings import ServerSettings
from topics.publisher import Publisher
from topics.settings import KafkaSettings

MakeClient = Callable[..., TestClient]
JSON = {"Content-Type": "application/json"}
WAIT_SECONDS = 10.0


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["type"].removeprefix("/problems/")


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    assert problem(client.get("/v1/nothing")) == (404, "about:blank")
    answer = client.delete("/v1/products")
    assert problem(answer) == (405, "about:blank")
    assert answer.headers["allow"] == "POST"
    assert client.post("/v1/products/p1").headers["allow"] == "GET, PUT, DELETE"


def test_a_failure_of_the_server_tells_the_log_and_not_the_client(
    client: TestClient, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> list[object]:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(index, "search", broken)
    answer = client.get("/v1/search?q=dress", headers={"X-Request-ID": "shop-42"})
    assert problem(answer) == (500, "about:blank")
    assert "hunter2" not in answer.text
    assert "shop-42" in answer.text
    assert "hunter2" in caplog.text
    assert "shop-42" in caplog.text


@pytest.mark.parametrize(("given", "echoed"), [("shop-42.a_b", True), ("a" * 101, False), ("a b", False), ("", False)])
def test_a_request_id_is_echoed_where_it_is_fit_for_a_log(client: TestClient, given: str, echoed: bool) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is echoed
    assert answer.headers["x-request-id"]


def test_a_body_that_is_announced_as_too_long_is_refused_unread(make_client: MakeClient) -> None:
    client = make_client(ServerSettings(max_body_bytes=1_000))
    answer = client.post("/v1/products", content=b"{}", headers=JSON | {"Content-Length": "1001"})
    assert problem(answer) == (413, "too-large")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_grows_too_long_is_cut_off(make_client: MakeClient, content_type: str) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += 500
            yield b"a" * 500

    client = make_client(ServerSettings(max_body_bytes=1_000))
    answer = client.post("/v1/search", content=endless(), headers={"Content-Type": content_type})
    assert problem(answer) == (413, "too-large")


def test_a_body_that_does_not_arrive_in_time_is_waited_for_no_longer(services: Services) -> None:
    app = create_app(ServerSettings(body_timeout_seconds=0.01), services)
    path = "/v1/products"
    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    sent: list[Any] = []
    chunks = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> Any:
        for chunk in chunks:
            return chunk
        await anyio.sleep_forever()

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(app, scope, receive, send)
    start, body = sent
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert b"/problems/too-slow" in body["body"]


def test_requests_are_timed_by_route_and_status(client: TestClient, services: Services) -> None:
    client.put("/v1/products/some-id", json={"title": "a"})
    client.get("/v1/nothing")
    client.request("BREW", "/v1/search")
    text = services.render_metrics()[0].decode()
    for labels in (
        'method="PUT",route="/v1/products/{product_id:path}",status="202"',
        'method="GET",route="unmatched",status="404"',
        'method="other",route="/v1/search",status="405"',
    ):
        assert f"millrace_http_request_seconds_count{{{labels}}} 1.0" in text
    assert "some-id" not in text


def test_metrics_are_prometheus_text(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE millrace_search_seconds histogram" in answer.text


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "products": 3}


def test_not_ready_names_every_part_that_does_not_answer(
    make_client: MakeClient, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> int:
        raise IndexUnavailable("http://127.0.0.1:19530 does not answer")

    monkeypatch.setattr(index, "count", down)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        publisher = Publisher(KafkaSettings(bootstrap_servers=f"127.0.0.1:{unheard.getsockname()[1]}"), "lonely")
        try:
            client = make_client(ServerSettings(ready_timeout_seconds=0.5), publisher=publisher)
            answer = client.get("/readyz")
        finally:
            publisher.close(timeout_seconds=0)
    assert problem(answer) == (503, "not-ready")
    assert "index: http://127.0.0.1:19530 does not answer" in answer.json()["detail"]
    assert "broker: " in answer.json()["detail"]
    assert "refused" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_probes_and_metrics_answer_while_searches_take_every_thread(
    client: TestClient, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    searching, answered = threading.Event(), threading.Event()

    def slow(*_: object) -> list[object]:
        searching.set()
        answered.wait(WAIT_SECONDS)
        return []

    def leave_one_thread() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1

    monkeypatch.setattr(index, "search", slow)
    with client, ThreadPoolExecutor(4) as others:
        assert client.portal is not None
        client.portal.call(leave_one_thread)
        search = others.submit(client.get, "/v1/search?q=dress")
        try:
            assert searching.wait(WAIT_SECONDS)
            for path in ("/readyz", "/metrics", "/healthz"):
                assert others.submit(client.get, path).result(WAIT_SECONDS / 2).status_code == 200
        finally:
            answered.set()
        assert search.result().status_code == 200


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_type_of_problem_has_a_page(client: TestClient, name: str) -> None:
    page = client.get(f"/problems/{name}").text
    assert PROBLEMS[name][1] in page
    title, advice = page.strip().split("\n\n")
    assert name in title
    assert advice.endswith(".")
    assert PROBLEMS[name][1] not in advice


def test_the_page_about_fields_says_where_to_read_what_is_wrong(client: TestClient) -> None:
    advice = client.get("/problems/invalid-fields").text
    assert all(word in advice for word in ("`errors`", "`pointer`", "`parameter`", "/openapi.json"))


def test_unknown_problems_have_none(client: TestClient) -> None:
    assert problem(client.get("/problems/other")) == (404, "about:blank")


def test_a_picture_below_the_folder_is_shown(make_client: MakeClient, pictures: Path) -> None:
    answer = make_client(links=MediaLinks(pictures)).get("/media/dress.png")
    assert answer.content == (pictures / "dress.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "notes.txt",
        "page.svg",
        "way-out.png",
        "..%2Fsecret.png",
        "%2E%2E/secret.png",
        "%2Fetc%2Fpasswd",
        "a%00.png",
        "",
        "a" * 5000 + ".png",
        "missing.png",
    ],
)
def test_nothing_else_is_shown(make_client: MakeClient, pictures: Path, path: str) -> None:
    assert problem(make_client(links=MediaLinks(pictures)).get(f"/media/{path}")) == (404, "about:blank")


def test_without_a_folder_there_are_no_pictures(client: TestClient) -> None:
    assert problem(client.get("/media/dress.png")) == (404, "about:blank")


def test_the_document_describes_every_route_its_bodies_and_its_problems(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    products = {
        "/v1/products",
        "/v1/products/{product_id}",
        "/v1/products/{product_id}/similar",
        "/v1/products/{product_id}/heatmap",
        "/v1/indexed-products",
    }
    operations = {"/healthz", "/readyz", "/metrics", "/problems/{name}"}
    shoppers = {"/v1/rank", "/v1/users/{user_id}", "/v1/users/{user_id}/recommendations"}
    lists = {"/v1/search", "/v1/trending", "/v1/events"}
    assert set(document["paths"]) == products | operations | lists | shoppers
    search = document["paths"]["/v1/search"]["post"]
    assert set(search["requestBody"]["content"]) == {"application/json", "multipart/form-data"}
    put = document["paths"]["/v1/products/{product_id}"]["put"]
    assert put["requestBody"]["content"]["application/json"]["schema"]["required"] == ["title"]
    assert set(put["responses"]["422"]["content"]) == {"application/problem+json"}
    assert put["security"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"host": "127.0.0.1"}, []),
        ({"host": "0.0.0.0"}, ["set an API key", "set server.pseudonym_key"]),  # noqa: S104
        ({"host": "0.0.0.0", "api_key": "secret"}, ["set server.pseudonym_key"]),  # noqa: S104
        ({"host": "0.0.0.0", "api_key": "secret", "pseudonym_key": "k"}, []),  # noqa: S104
    ],
)
def test_a_server_beyond_the_loopback_warns_of_keys_that_are_missing(
    caplog: pytest.LogCaptureFixture, settings: dict[str, str], missing: list[str]
) -> None:
    warn_of_missing_keys(ServerSettings.model_validate(settings))
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == missing
