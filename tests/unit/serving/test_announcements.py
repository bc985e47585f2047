"""Which products became searchable, told to clients that stay connected."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from index.memory import MemoryIndex
from monitoring.exposition import create_registry
from monitoring.metrics import Metrics, create_metrics
from serving.announcement_routes import _EventStream
from serving.announcements import Announcements, Subscription, TooManyStreams
from serving.indexed_products import IndexedProducts
from serving.media_routes import MediaLinks
from serving.problems import Problem
from serving.settings import ServerSettings
from serving.stream_limits import streams_of_one_client
from topics.events import ProductIndexed

MakeClient = Callable[..., TestClient]


@pytest.fixture
def metrics() -> Metrics:
    return create_metrics(create_registry())


def count(metrics: Metrics, outcome: str) -> float:
    return float(metrics.announcements.labels(outcome)._value.get())


def indexed(product_id: str, outcome: str = "indexed", **fields: Any) -> ProductIndexed:
    times = {"event_at": 100.0, "received_at": 100.1, "encoded_at": 100.2, "searchable_at": 100.31}
    return ProductIndexed.model_validate(
        {"product_id": product_id, "version": 1, "outcome": outcome, "releases": {}} | times | fields
    )


def announced(index: MemoryIndex, metrics: Metrics, *events: ProductIndexed) -> list[dict[str, Any]]:
    """What a subscriber hears of these events."""
    announcements = Announcements(metrics)

    async def listen() -> list[bytes]:
        subscription = announcements.subscribe()
        IndexedProducts(index, MediaLinks(None), announcements).hear(events)
        taken = await subscription.take(1.0)
        return taken[0] if taken else []

    return [json.loads(message) for message in asyncio.run(listen())]


def test_a_product_is_announced_as_search_shows_it(index: MemoryIndex, metrics: Metrics) -> None:
    assert announced(index, metrics, indexed("dress")) == [
        {
            "product_id": "dress",
            "outcome": "indexed",
            "title": "Linen dress",
            "language": "en",
            "image": None,
            "seconds": 0.31,
        }
    ]


def test_a_deleted_product_is_announced_without_a_title(index: MemoryIndex, metrics: Metrics) -> None:
    (event,) = announced(index, metrics, indexed("gone", "deleted"))
    assert (event["product_id"], event["outcome"], event["title"]) == ("gone", "deleted", None)


def test_one_that_is_there_again_by_now_is_deleted_all_the_same(index: MemoryIndex, metrics: Metrics) -> None:
    (event,) = announced(index, metrics, indexed("dress", "deleted"))
    assert (event["outcome"], event["title"]) == ("deleted", None)


def test_of_several_changes_of_a_product_at_once_the_last_is_announced(index: MemoryIndex, metrics: Metrics) -> None:
    events = (indexed("dress"), indexed("lamp"), indexed("dress", "deleted"), indexed("dress", "attributes_updated"))
    heard = announced(index, metrics, *events)
    outcomes = {event["product_id"]: event["outcome"] for event in heard}
    assert outcomes == {"dress": "attributes_updated", "lamp": "indexed"}
    assert len(heard) == 2


def test_what_changed_nothing_for_shoppers_is_not_announced(index: MemoryIndex, metrics: Metrics) -> None:
    for_nobody = (indexed("dress", "stale"), indexed("dress", index="products_next"), indexed("deleted meanwhile"))
    heard = announced(index, metrics, *for_nobody, indexed("lamp"))
    assert [event["product_id"] for event in heard] == ["lamp"]


def test_without_a_subscriber_the_index_is_not_asked(metrics: Metrics) -> None:
    IndexedProducts(None, MediaLinks(None), Announcements(metrics)).hear([indexed("dress")])  # type: ignore[arg-type]


def test_a_slow_client_loses_the_oldest_and_is_told_how_many(metrics: Metrics) -> None:
    async def listen() -> tuple[list[bytes], int] | None:
        announcements = Announcements(metrics, most_waiting=2)
        subscription = announcements.subscribe()
        announcements.announce([b"1", b"2"])
        announcements.announce([b"3", b"4", b"5"])
        return await subscription.take(1.0)

    assert asyncio.run(listen()) == ([b"4", b"5"], 3)
    assert (count(metrics, "offered"), count(metrics, "lost")) == (5, 3)


async def events_of(stream: AsyncIterator[Any], number: int) -> list[bytes]:
    return [await anext(stream) for _ in range(number)]


def test_a_stream_is_made_of_events_and_of_losses_and_ends_with_the_server(metrics: Metrics) -> None:
    async def listen() -> list[bytes]:
        announcements = Announcements(metrics, most_waiting=1)
        stream = _EventStream(announcements)
        parts = stream.body_iterator
        begin = await events_of(parts, 1)  # type: ignore[arg-type]
        announcements.announce([b'{"product_id":"1"}', b'{"product_id":"2"}'])
        begin += await events_of(parts, 1)  # type: ignore[arg-type]
        announcements.close()
        with pytest.raises(StopAsyncIteration):
            await anext(parts)  # type: ignore[arg-type]
        return begin

    assert asyncio.run(listen()) == [
        b"retry: 5000\n\n",
        b'event: lost\ndata: 1\n\nevent: indexed\ndata: {"product_id":"2"}\n\n',
    ]


def test_silence_is_an_empty_answer_and_no_end(metrics: Metrics) -> None:
    async def listen() -> tuple[list[bytes], int] | None:
        return await Announcements(metrics).subscribe().take(0.001)

    assert asyncio.run(listen()) == ([], 0)


def test_a_place_is_free_again_once_its_client_is_gone(metrics: Metrics) -> None:
    async def come_and_go() -> Subscription:
        announcements = Announcements(metrics, max_streams=1)
        first = announcements.subscribe()
        with pytest.raises(TooManyStreams):
            announcements.subscribe()
        announcements.unsubscribe(first)
        return announcements.subscribe()

    assert isinstance(asyncio.run(come_and_go()), Subscription)


def test_one_client_too_many_is_told_to_come_later(make_client: MakeClient, metrics: Metrics) -> None:
    answer = make_client(announcements=Announcements(metrics, max_streams=0)).get("/v1/indexed-products")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/too-many-streams"
    assert int(answer.headers["retry-after"]) > 0


def test_the_route_streams_until_the_server_ends_it(make_client: MakeClient, metrics: Metrics) -> None:
    announcements = Announcements(metrics)
    announcements.close()
    client = make_client(announcements=announcements)
    answer = client.get("/v1/indexed-products")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == "retry: 5000\n\n"
    assert 'route="/v1/indexed-products"' not in client.get("/metrics").text  # it takes as long as the client stays
    assert not announcements.has_subscribers


def test_one_client_cannot_take_the_places_of_all() -> None:
    settings = ServerSettings(max_event_streams_per_client=1)
    limit = asynccontextmanager(streams_of_one_client(settings))

    def client(address: str) -> Request:
        return Request({"type": "http", "client": (address, 1), "headers": []})

    async def come_and_go() -> None:
        async with limit(client("192.0.2.1")):
            async with limit(client("192.0.2.2")):
                pass
            with pytest.raises(Problem, match="close a stream"):
                async with limit(client("192.0.2.1")):
                    pass
        async with limit(client("192.0.2.1")):
            pass

    asyncio.run(come_and_go())


def test_a_client_that_may_have_no_stream_is_told(make_client: MakeClient) -> None:
    answer = make_client(ServerSettings(max_event_streams_per_client=0)).get("/v1/indexed-products")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/too-many-streams")


def test_a_client_has_its_place_until_its_stream_has_ended(make_client: MakeClient, metrics: Metrics) -> None:
    announcements = Announcements(metrics)
    settings = ServerSettings(max_event_streams_per_client=1)
    with make_client(settings, announcements=announcements) as client, ThreadPoolExecutor(1) as other:
        first = other.submit(client.get, "/v1/indexed-products")
        while not announcements.has_subscribers:
            assert not first.done()
        assert client.get("/v1/indexed-products").status_code == 503
        announcements.close()
        assert first.result().status_code == 200
        assert client.get("/v1/indexed-products").status_code == 200
