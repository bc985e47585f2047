"""What shoppers do, through the API to the broker; and what trends."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from encoders.hash import HashEncoder
from feedback.join import action_upon
from index.base import TEXT_FIELD, ContentHashes, ProductRow
from index.documents import document
from index.memory import MemoryIndex
from ranking.settings import AvailabilityRules, TrendingSettings
from ranking.trending import Trending
from ranking.trending_products import TrendingProducts
from serving.services import Services
from serving.settings import ServerSettings
from tests.unit.serving.conftest import NOW, MakeClient
from topics.behavior import BehaviorEvent
from topics.catalogue import BEHAVIOR_EVENTS
from topics.events import Product
from topics.reader import TopicReader
from topics.settings import KafkaSettings

CLICK = {
    "action_name": "click",
    "timestamp": "2026-11-21T10:15:00Z",
    "query_id": "q-1",
    "user_id": "ada@shop.example",
    "event_attributes": {"object": {"object_id": "dress"}, "position": {"ordinal": 1}},
}

AHEAD = timedelta(minutes=6)


@pytest.fixture
def published(kafka: KafkaSettings) -> Iterator[Callable[[str, str], list[bytes]]]:
    """What has come on the topic of a query and those that begin alike, once the last of them is there."""
    with TopicReader(kafka, [BEHAVIOR_EVENTS]) as reader:

        def take(query_id: str, last: str) -> list[bytes]:
            values: list[bytes] = []
            for _ in range(50):
                for record in reader.read(0.2):
                    if record.key is not None and record.key.decode().startswith(query_id):
                        values.append(record.value or b"")
                    if record.key == last.encode():
                        return values
            raise AssertionError(f"{last} did not come")

        yield take


def test_events_are_published_with_pseudonyms_and_keyed_by_their_query(make_client: MakeClient, published: Any) -> None:
    client = make_client(ServerSettings(pseudonym_key=SecretStr("k")))
    query_id = str(uuid4())
    events = [{**CLICK, "query_id": query_id, "user_id": f"{name}@shop.example"} for name in ("ada", "bob")]
    response = client.post("/v1/events", json=events)
    client.post("/v1/events", json={**CLICK, "query_id": f"{query_id}-end"})
    assert (response.status_code, response.json()) == (202, {"accepted": 2})
    ada, bob = (orjson.loads(value) for value in published(query_id, f"{query_id}-end")[:2])
    assert ada | {"user_id": ""} == {**events[0], "user_id": ""}
    assert ada["user_id"] != bob["user_id"]
    assert "shop.example" not in str(ada) + str(bob)


def test_pseudonyms_of_one_key_are_the_same_on_every_server(make_client: MakeClient, published: Any) -> None:
    query_id = str(uuid4())
    for number, key in enumerate(("k", "k", "another")):
        client = make_client(ServerSettings(pseudonym_key=SecretStr(key)))
        client.post("/v1/events", json={**CLICK, "query_id": f"{query_id}-{number}"})
    first, second, third = (orjson.loads(value)["user_id"] for value in published(query_id, f"{query_id}-2"))
    assert first == second != third


def test_a_clock_that_is_ahead_dates_nothing_and_a_repeat_is_still_one_event(
    make_client: MakeClient, published: Any
) -> None:
    times = iter([NOW, NOW + timedelta(seconds=5)])
    client = make_client(clock=lambda: next(times, NOW))
    query_id = str(uuid4())
    ahead, behind = ({**CLICK, "query_id": query_id, "timestamp": iso(NOW + by)} for by in (AHEAD, -AHEAD))
    named = {**ahead, "event_id": "e-1"}
    for _ in range(2):
        client.post("/v1/events", json=[ahead, named, behind])
    client.post("/v1/events", json={**CLICK, "query_id": f"{query_id}-end"})

    told = [orjson.loads(value) for value in published(query_id, f"{query_id}-end")[:6]]
    assert [event["timestamp"] for event in told[:3]] == [iso(NOW), iso(NOW), behind["timestamp"]]
    assert told[3]["timestamp"] == iso(NOW + timedelta(seconds=5))
    assert [event.get("client_timestamp") for event in told] == [ahead["timestamp"], ahead["timestamp"], None] * 2
    first, second, third = (BehaviorEvent.model_validate(event) for event in (told[0], told[3], told[1]))
    assert event_id(first) == event_id(second) != event_id(third) == "e-1"


def iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def event_id(event: BehaviorEvent) -> str:
    upon = action_upon(event)
    assert upon is not None
    return upon.event_id


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        (b"{", 400, None),
        (b"[]", 422, "#"),
        (b"7", 422, "#"),
        (orjson.dumps({**CLICK, "timestamp": "soon"}), 422, "#/timestamp"),
        (orjson.dumps([CLICK, {**CLICK, "action_name": ""}]), 422, "#/1/action_name"),
        (orjson.dumps({**CLICK, "event_attributes": {"position": {"ordinal": 0}}}), 422, "#/event_attributes/position"),
        (orjson.dumps([CLICK] * 3), 422, "#"),
        (orjson.dumps([CLICK, {**CLICK, "note": "x" * 3_000}]), 413, None),
    ],
)
def test_what_cannot_be_taken_is_refused_as_a_whole(
    make_client: MakeClient, published: Any, body: bytes, status: int, place: str | None
) -> None:
    client = make_client(ServerSettings(max_events=2, max_event_bytes=2_000))
    query_id = str(uuid4())
    body = body.replace(b"q-1", query_id.encode())
    response = client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert place is None or response.json()["errors"][0]["pointer"] == place
    client.post("/v1/events", json={**CLICK, "query_id": f"{query_id}-end"})
    assert len(published(query_id, f"{query_id}-end")) == 1


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (7, "Input should be a JSON object"),
        ([CLICK, None], "1: Input should be a JSON object"),
        ({**CLICK, "event_attributes": "x"}, "event_attributes: Input should be a JSON object"),
        ({**CLICK, "timestamp": 7}, "timestamp: a timestamp is an ISO 8601 date-time"),
    ],
)
def test_what_is_wrong_is_said_without_words_of_the_code(client: TestClient, body: Any, detail: str) -> None:
    assert client.post("/v1/events", json=body).json()["detail"] == detail


@pytest.mark.parametrize(
    ("said", "begins", "ends"),
    [
        ({"event_attributes": {}, "product_id": "dress"}, "1 event without a product", "`product` or none"),
        (
            {"event_attributes": {"object": {"object_id": "x", "object_id_type": "page"}}},
            "1 event without a product",
            "",
        ),
        ({"user": "a", "{x}": 1}, "1 event with fields that are kept and read by nothing (user, {x})", "that are read"),
        ({"action_name": "k{0}ick"}, "1 event with an action_name that changes no profile (k{0}ick)", "or impression"),
        ({"query_id": None}, "1 event without a query_id, good for recommendations", "acted upon"),
        ({"query_id": None, "user_id": None}, "1 event without a query_id and without a name", "or session_id"),
        ({"timestamp": "2026-11-21T10:15:00"}, "1 event with a timestamp without a time zone", "+01:00"),
    ],
)
def test_what_counts_less_than_it_may_seem_is_told(
    client: TestClient, said: dict[str, Any], begins: str, ends: str
) -> None:
    response = client.post("/v1/events", json={**CLICK, **said})
    note = response.json()["notes"][0]
    assert (response.status_code, note.startswith(begins), note.endswith(ends)) == (202, True, True), note


def test_notes_are_counted_by_kind_and_name_a_few(client: TestClient) -> None:
    events = [CLICK, *({**CLICK, "action_name": f"a{number % 7}"} for number in range(12))]
    (note,) = client.post("/v1/events", json=events).json()["notes"]
    assert note.startswith(
        "12 events with an action_name that changes no profile (a0, a1, a2, a3, a4, ...): send click,"
    )


@pytest.mark.parametrize("ordinal", [None, "first", [], {}, 0.5, False])
def test_a_point_of_the_screen_may_have_any_ordinal_beside_it(client: TestClient, ordinal: Any) -> None:
    attributes = {"object": {"object_id": "dress"}, "position": {"ordinal": ordinal, "xy": {"x": 0, "y": 0}}}
    assert client.post("/v1/events", json={**CLICK, "event_attributes": attributes}).status_code == 202


def test_what_the_page_sends_and_a_point_of_the_screen_need_no_note(client: TestClient) -> None:
    sent = {**CLICK, "event_id": "e", "client_id": "c", "session_id": "s", "action_name": "dwell"}
    sent["event_attributes"] = {"object": {"object_id": "dress"}, "position": {"xy": {"x": 0, "y": 0}}}
    assert client.post("/v1/events", json=sent).json() == {"accepted": 1}


def test_what_trends_comes_first_with_its_reasons(make_client: MakeClient, services: Services) -> None:
    client = make_client(trending=trending(services, {"shirt": 3, "dress": 2, "gone": 9}))
    body = client.get("/v1/trending", params={"explain": True}).json()
    assert [result["product"]["id"] for result in body["results"]] == ["shirt", "dress"]
    assert [result["position"] for result in body["results"]] == [1, 2]
    assert body["results"][0]["actions"] == {"click": pytest.approx(3.0)}
    assert body["results"][0]["score"] == pytest.approx(3.0)
    dear = client.get("/v1/trending", params={"price_min": 50}).json()["results"]
    assert [result["product"]["id"] for result in dear] == ["dress"]
    assert "actions" not in dear[0]


def test_where_nothing_was_clicked_nothing_trends(client: TestClient) -> None:
    assert client.get("/v1/trending").json()["results"] == []


def test_filters_that_exclude_each_other_are_told(make_client: MakeClient, services: Services) -> None:
    client = make_client(trending=trending(services, {"dress": 1}))
    body = client.get("/v1/trending?price_min=9&price_max=1").json()
    assert (body["results"], body["notes"]) == ([], ["price cannot be at least 9 and at most 1 at once"])
    body = client.get("/v1/trending?availability=out_of_stock&available=true").json()
    assert (body["results"], body["notes"]) == ([], ["availability cannot be out_of_stock and in_stock at once"])
    body = client.get("/v1/trending?price_min=9").json()
    assert (len(body["results"]), body["notes"]) == (1, [])


@pytest.mark.parametrize(
    "asked", ["availability=in_stock&availability=out_of_stock", "filter=availability:out_of_stock"]
)
def test_who_names_an_availability_gets_it(make_client: MakeClient, services: Services, asked: str) -> None:
    index = MemoryIndex(256, 256)
    product = Product(id="dress", updated_at=NOW, title="Dress", availability="out_of_stock")
    vectors = {TEXT_FIELD: HashEncoder().encode_texts(["Dress"])[0]}
    index.apply([ProductRow("dress", product.version, document(product), "", ContentHashes(), vectors)])
    client = make_client(trending=TrendingProducts(index, clicked({"dress": 1}), AvailabilityRules()))
    assert client.get("/v1/trending").json()["results"] == []
    body = client.get(f"/v1/trending?{asked}").json()
    assert ([result["product"]["id"] for result in body["results"]], body["notes"]) == (["dress"], [])


def trending(services: Services, clicks: dict[str, int]) -> TrendingProducts:
    return TrendingProducts(services.index, clicked(clicks), AvailabilityRules())


def clicked(clicks: dict[str, int]) -> Trending:
    trending = Trending(TrendingSettings())
    for product, most in clicks.items():
        for number in range(most):
            document = {**CLICK, "timestamp": NOW, "user_id": f"u{number}"}
            document["event_attributes"] = {"object": {"object_id": product}}
            trending.count(BehaviorEvent.model_validate(document), NOW)
    return trending
