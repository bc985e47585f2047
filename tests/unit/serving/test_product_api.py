"""POST, PUT and DELETE of products: what reaches the broker, and what does not."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from fastapi.testclient import TestClient

from serving.services import Services
from serving.settings import ServerSettings
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import ProductCodec
from topics.events import InvalidEvent, Product, ProductDeletion, ProductEvent
from topics.publisher import Publisher
from topics.settings import KafkaSettings

MakeClient = Callable[..., TestClient]
ReadNew = Callable[[], list[ProductEvent | InvalidEvent]]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def read_new(kafka: KafkaSettings) -> Iterator[ReadNew]:
    """Reads what a worker would read of the messages published since the test began."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "reader"})
    partition = TopicPartition(CATALOG_PRODUCTS, 0)
    _, start = consumer.get_watermark_offsets(partition, timeout=10)

    def read() -> list[ProductEvent | InvalidEvent]:
        _, end = consumer.get_watermark_offsets(partition, timeout=10)
        consumer.assign([TopicPartition(CATALOG_PRODUCTS, 0, start)])
        messages = [message for _ in range(end - start) if (message := consumer.poll(10)) is not None]
        codec = ProductCodec()
        return [
            codec.decode(message.key(), message.value(), message.timestamp()[1], dict(message.headers() or ()))
            for message in messages
        ]

    yield read
    consumer.close()


def product(**fields: Any) -> dict[str, Any]:
    return {"id": "p1", "title": "Red dress"} | fields


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_a_product_is_published_with_the_servers_time_as_its_version(client: TestClient, read_new: ReadNew) -> None:
    answer = client.post("/v1/products", json=product(price=19.99, currency="EUR"))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "ids": ["p1"]})
    (event,) = read_new()
    assert event == Product(id="p1", title="Red dress", price="19.99", currency="EUR", updated_at=NOW)  # type: ignore[arg-type]


def test_the_shops_own_time_is_kept(client: TestClient, read_new: ReadNew) -> None:
    client.post("/v1/products", json=product(updated_at="2026-01-02T03:04:05.000006+01:00"))
    client.post("/v1/products", json=product(updated_at=1_767_319_445_000))
    first, second = read_new()
    assert isinstance(first, Product)
    assert isinstance(second, Product)
    assert first.updated_at == datetime(2026, 1, 2, 2, 4, 5, 6, tzinfo=UTC)
    assert second.updated_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)


def test_a_list_is_published_as_a_whole(client: TestClient, read_new: ReadNew) -> None:
    answer = client.post("/v1/products", json=[product(id=f"p{number}") for number in range(1000)])
    assert answer.json()["accepted"] == 1000
    assert [event.id for event in read_new()] == [f"p{number}" for number in range(1000)]  # type: ignore[union-attr]


def test_one_invalid_product_keeps_the_whole_list_back(client: TestClient, read_new: ReadNew) -> None:
    answer = client.post("/v1/products", json=[product(), product(id="p2", price=-1, currency="EUR"), 5])
    assert problem(answer) == (422, "invalid-fields")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/1/price", "#/2"]
    assert read_new() == []


@pytest.mark.parametrize("product_id", ["p1", "a/b", "ключ 1", "100%", "..", "連衣裙?#"])
def test_put_takes_the_id_from_the_path(client: TestClient, read_new: ReadNew, product_id: str) -> None:
    from urllib.parse import quote

    path = quote(product_id, safe="").replace("..", "%2E%2E")
    answer = client.put(f"/v1/products/{path}", json={"title": "Red dress"})
    assert (answer.status_code, answer.json()["ids"]) == (202, [product_id])
    (event,) = read_new()
    assert isinstance(event, Product)
    assert event.id == product_id


def test_put_refuses_another_id_in_the_body(client: TestClient, read_new: ReadNew) -> None:
    answer = client.put("/v1/products/p1", json=product(id="p2"))
    assert problem(answer) == (422, "invalid-fields")
    assert answer.json()["errors"][0]["pointer"] == "#/id"
    assert client.put("/v1/products/p1", json=product()).status_code == 202
    assert len(read_new()) == 1


def test_delete_publishes_a_tombstone_of_now_or_of_the_shops_time(client: TestClient, read_new: ReadNew) -> None:
    assert client.delete("/v1/products/p1").status_code == 202
    assert client.delete("/v1/products/p1", params={"updated_at": "2026-01-01T00:00:00Z"}).status_code == 202
    assert read_new() == [
        ProductDeletion("p1", int(NOW.timestamp()) * 1_000_000),
        ProductDeletion("p1", int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000),
    ]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": ""}, "#/title"),
        ({"title": "a" * 2001}, "#/title"),
        ({"titel": "a"}, "#/titel"),
        ({"id": ""}, "#/id"),
        ({"id": "a\u0000b"}, "#/id"),
        ({"id": "a" * 201}, "#/id"),
        ({"price": 1e300, "currency": "EUR"}, "#/price"),
        ({"price": -0.01, "currency": "EUR"}, "#/price"),
        ({"price": "cheap", "currency": "EUR"}, "#/price"),
        ({"price": 1}, "#"),
        ({"currency": "euro"}, "#/currency"),
        ({"rating": 6}, "#/rating"),
        ({"rating": "4.5"}, "#/rating"),
        ({"rating": True}, "#/rating"),
        ({"rating_count": False}, "#/rating_count"),
        ({"rating_count": "7"}, "#/rating_count"),
        ({"image_links": ["ftp://shop.example/a.png"]}, "#/image_links/0"),
        ({"attributes": {"size/cm": {"deep": 1}}}, "#/attributes/size~1cm"),
        ({"updated_at": "yesterday"}, "#/updated_at"),
        ({"updated_at": "2026-01-01T00:00:00"}, "#/updated_at"),
        ({"updated_at": 9e99}, "#/updated_at"),
        ({"updated_at": "0.5"}, "#/updated_at"),
        ({"language": "English!"}, "#/language"),
    ],
)
def test_a_product_with_a_wrong_field(
    client: TestClient, read_new: ReadNew, fields: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/v1/products", json=product(**fields))
    assert problem(answer) == (422, "invalid-fields")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert read_new() == []


def test_a_number_as_text_is_a_version_in_milliseconds_everywhere(client: TestClient, read_new: ReadNew) -> None:
    assert client.put("/v1/products/p1", json={"title": "a", "updated_at": "1767319445"}).status_code == 202
    assert client.delete("/v1/products/p1?updated_at=1767319445").status_code == 202
    change, deletion = read_new()
    assert isinstance(change, Product)
    assert isinstance(deletion, ProductDeletion)
    assert change.version == deletion.version == 1_767_319_445_000


@pytest.mark.parametrize("query", ["updated_at=0.5", "updated_at=yesterday", "version=1"])
def test_a_deletion_that_cannot_be_understood(client: TestClient, read_new: ReadNew, query: str) -> None:
    assert problem(client.delete(f"/v1/products/p1?{query}")) == (422, "invalid-fields")
    assert read_new() == []


@pytest.mark.parametrize("body", ["[]", "5", "null", '"p1"', "[[]]"])
def test_a_body_that_is_no_product(client: TestClient, body: str) -> None:
    assert problem(client.post("/v1/products", content=body, headers=JSON)) == (422, "invalid-fields")
    assert problem(client.put("/v1/products/p1", content=body, headers=JSON)) == (422, "invalid-fields")


def test_too_many_products_and_a_repeated_one_are_refused(make_client: MakeClient, read_new: ReadNew) -> None:
    client = make_client(ServerSettings(max_products=2))
    three = [product(id=str(number)) for number in range(3)]
    assert problem(client.post("/v1/products", json=three)) == (422, "invalid-fields")
    assert problem(client.post("/v1/products", json=[product(), product()])) == (422, "invalid-fields")
    assert read_new() == []


@pytest.mark.parametrize(
    "body", ["", "{", '{"id": "p1", "title": NaN}', "[" * 100_000, '{"id": "p1", "title": "\\ud800"}']
)
def test_what_is_no_json(client: TestClient, body: str) -> None:
    assert problem(client.post("/v1/products", content=body, headers=JSON)) == (400, "invalid-json")


def test_another_content_type_is_refused_so_that_foreign_pages_cannot_post(client: TestClient) -> None:
    body = json.dumps(product())
    answer = client.post("/v1/products", content=body, headers={"Content-Type": "text/plain"})
    assert problem(answer) == (415, "unsupported-media-type")
    header = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/v1/products", content=body, headers=header).status_code == 202


def test_a_product_larger_than_a_message_may_be(make_client: MakeClient, read_new: ReadNew) -> None:
    client = make_client(ServerSettings(max_product_bytes=1_000))
    answer = client.post("/v1/products", json=[product(), product(id="p2", description="a" * 1_000)])
    assert problem(answer) == (413, "too-large")
    assert "product 1" in answer.json()["detail"]
    assert read_new() == []


def long_attributes(count: int) -> dict[str, str]:
    return {f"a{number}": "x" * 10_000 for number in range(count)}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"attributes": long_attributes(9)}, "65536 fit"),
        ({"attributes": {"tags": [str(number) for number in range(4_000)]}}, "send fewer"),
        ({"attributes": {"ean": 2**63}}, "attributes/ean"),
        ({"attributes": {"ean": 2**64 - 1}}, "attributes/ean"),
    ],
    ids=["document", "listed values", "63 bits", "64 bits"],
)
def test_what_no_index_can_hold_is_refused_before_it_is_published(
    client: TestClient, read_new: ReadNew, fields: dict[str, Any], reason: str
) -> None:
    for answer in (
        client.post("/v1/products", json=[product(), product(id="p2", **fields)]),
        client.put("/v1/products/p2", json=product(id="p2", **fields)),
    ):
        assert problem(answer) == (422, "invalid-fields")
        assert reason in answer.json()["detail"]
    assert read_new() == []


def test_a_large_product_that_the_index_can_hold_is_published(client: TestClient, read_new: ReadNew) -> None:
    assert client.post("/v1/products", json=product(attributes=long_attributes(6))).status_code == 202
    assert len(read_new()) == 1


def test_writing_needs_the_key_where_one_is_set(make_client: MakeClient, read_new: ReadNew) -> None:
    client = make_client(ServerSettings(api_key="corrèct"))  # type: ignore[arg-type]
    for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": ""}):
        for answer in (
            client.post("/v1/products", json=product(), headers=headers),
            client.put("/v1/products/p1", json=product(), headers=headers),
            client.delete("/v1/products/p1", headers=headers),
        ):
            assert problem(answer) == (401, "unauthorized")
            assert "www-authenticate" in answer.headers
    assert client.get("/v1/search?q=dress").status_code == 200
    assert read_new() == []


def test_the_right_key_writes(make_client: MakeClient) -> None:
    client = make_client(ServerSettings(api_key="secret"))  # type: ignore[arg-type]
    assert client.delete("/v1/products/p1", headers={"X-API-Key": "secret"}).status_code == 202


def test_a_broker_that_does_not_answer_is_a_503_with_the_cause(make_client: MakeClient, services: Services) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unheard.getsockname()[1]}")
        publisher = Publisher(nowhere, "lonely")
        try:
            client = make_client(ServerSettings(publish_timeout_seconds=0.5), publisher=publisher)
            answer = client.post("/v1/products", json=product())
        finally:
            publisher.close(timeout_seconds=0)
    assert problem(answer) == (503, "broker-unavailable")
    assert "refused" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    text, _ = services.render_metrics()
    assert b'millrace_published_total{outcome="failed",topic="catalog.products"} 1.0' in text


def test_publishing_is_counted(client: TestClient, services: Services) -> None:
    client.post("/v1/products", json=[product(), product(id="p2")])
    text, _ = services.render_metrics()
    assert b'millrace_published_total{outcome="acknowledged",topic="catalog.products"} 2.0' in text
