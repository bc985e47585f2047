"""What one shopper is recommended, and how a shopper is forgotten, over HTTP."""

from typing import Any
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import orjson
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.store import StoreUnavailable
from feedback.updating import ProfileUpdater
from serving.pseudonyms import Pseudonyms
from serving.services import Services
from serving.settings import ServerSettings
from serving.shoppers import Askers, VisitFields
from tests.unit.serving.conftest import NOW, MakeClient
from topics.catalogue import BEHAVIOR_QUERIES, SHOPPERS_ERASED
from topics.feedback import JoinedList, ListAction, ShopperErased, ShownProduct
from topics.publisher import PublisherError
from topics.reader import TopicReader
from topics.settings import KafkaSettings

KEY = "k"
ADA = Pseudonyms(KEY).of("ada")


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client(ServerSettings(pseudonym_key=SecretStr(KEY)))


@pytest.fixture
def ada_clicked_the_dress(services: Services) -> None:
    at = NOW.timestamp() - 60
    shown = (ShownProduct(product_id="dress", position=1), ShownProduct(product_id="lamp", position=2))
    click = ListAction(event_id="e", action="click", product_id="dress", at=at + 1)
    clicked = JoinedList(query_id="q", revision=2, shopper=ADA, at=at, shown=shown, actions=(click,))
    ProfileUpdater(services.profiles, ProfileSettings(), lambda: NOW.timestamp()).apply([clicked])


def ids(answer: dict[str, Any]) -> list[str]:
    return [result["product"]["id"] for result in answer["results"]]


def test_a_stranger_gets_what_is_new(client: TestClient) -> None:
    answer = client.get("/v1/users/stranger/recommendations", params={"limit": 2}).json()
    assert len(ids(answer)) == 2
    assert [result["position"] for result in answer["results"]] == [1, 2]
    assert "sources" not in answer["results"][0]
    assert answer["notes"] == []


@pytest.mark.usefixtures("ada_clicked_the_dress")
def test_what_is_like_the_last_click_says_where_it_came_from(client: TestClient) -> None:
    answer = client.get("/v1/users/ada/recommendations", params={"explain": True}).json()
    assert {place for result in answer["results"] for place in result["sources"]} == {"taste", "newest"}
    assert all(result["reranking"]["parts"] for result in answer["results"])
    dear = client.get("/v1/users/ada/recommendations", params={"price_min": 50}).json()
    assert ids(dear) == ["dress"]


def test_filters_that_exclude_each_other_are_told(client: TestClient) -> None:
    answer = client.get("/v1/users/ada/recommendations?price_min=9&price_max=1").json()
    assert (answer["results"], answer["notes"]) == ([], ["price cannot be at least 9 and at most 1 at once"])


def test_recommendations_are_recorded_as_a_query(client: TestClient, kafka: KafkaSettings) -> None:
    answer = client.get("/v1/users/ada/recommendations?session_id=s&place=Ulm&utc_offset_minutes=480").json()
    query = on_topic(kafka, BEHAVIOR_QUERIES, answer["query_id"].encode())
    assert query["user_id"] == ADA
    assert query["query_response_hit_ids"] == ids(answer)
    assert query["query_attributes"]["kind"] == "recommendations"
    assert query["query_attributes"]["context"] == {"daypart": "evening", "place": "Ulm"}
    assert "ada" not in str(query)


@pytest.mark.usefixtures("ada_clicked_the_dress")
def test_who_asks_for_what_is_personal_alone_gets_and_publishes_nothing_else(
    client: TestClient, kafka: KafkaSettings
) -> None:
    cold = client.get("/v1/users/stranger/recommendations?personal=true").json()
    assert (cold["results"], cold["notes"]) == ([], [])
    warm = client.get("/v1/users/ada/recommendations?personal=true").json()
    assert ids(warm) == ids(client.get("/v1/users/ada/recommendations").json()) != []
    with TopicReader(kafka, [BEHAVIOR_QUERIES]) as reader:
        keys: list[bytes | None] = []
        while warm["query_id"].encode() not in keys:
            keys += [record.key for record in reader.read(0.2)]
    assert cold["query_id"].encode() not in keys


@pytest.mark.parametrize(
    ("zone", "offset", "daypart"),
    [
        ("UTC", None, "afternoon"),
        ("Asia/Shanghai", None, "evening"),
        ("Asia/Shanghai", 0, "afternoon"),
        ("UTC", -1, "morning"),
        ("UTC", -720, "night"),
        ("UTC", 840, "night"),
        ("America/New_York", None, "morning"),
    ],
)
def test_the_time_of_day_is_that_of_the_shopper_else_of_the_shop(zone: str, offset: int | None, daypart: str) -> None:
    askers = Askers(Pseudonyms(KEY), lambda: NOW, ZoneInfo(zone))
    assert askers.user("ada", VisitFields(utc_offset_minutes=offset)).context == {"daypart": daypart}


@pytest.mark.parametrize("path", ["/v1/users/ada/recommendations", "/v1/search", "/v1/trending"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("utc_offset_minutes", "841"),
        ("utc_offset_minutes", "-721"),
        ("utc_offset_minutes", "noon"),
        ("place", "x" * 101),
    ],
)
def test_a_time_or_a_place_that_cannot_be_is_told(client: TestClient, path: str, name: str, value: str) -> None:
    response = client.get(path, params={"q": "x", name: value} if "search" in path else {name: value})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/invalid-fields")
    assert response.json()["errors"][0]["parameter"] == name


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe"])
def test_a_time_zone_that_nobody_knows_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError, match="time_zone"):
        ServerSettings(time_zone=zone)


@pytest.mark.usefixtures("ada_clicked_the_dress")
def test_who_is_erased_is_forgotten_at_once_and_everywhere(
    client: TestClient, services: Services, kafka: KafkaSettings
) -> None:
    reader = StateReader(services.profiles, ProfileSettings())
    assert len(reader.read(ADA, (), "", NOW.timestamp()).recent.product_ids) == 1
    response = client.delete("/v1/users/ada")
    assert response.status_code == 202
    assert response.json() == {
        "removed": {"shopper": 1, "lists": 1, "counted": 1},
        "found_afterwards": {"shopper": 0, "lists": 0, "counted": 0},
        "follows": ["open lists", "example log"],
    }
    assert len(reader.read(ADA, (), "", NOW.timestamp()).recent.product_ids) == 0
    said = on_topic(kafka, SHOPPERS_ERASED, ADA.encode())
    assert ShopperErased.model_validate(said) == ShopperErased(shopper=ADA, at=NOW.timestamp())
    assert client.delete("/v1/users/ada").json()["removed"] == {}


def test_who_is_erased_while_the_store_is_away_is_erased_later(make_client: MakeClient) -> None:
    away = Mock(read=Mock(side_effect=StoreUnavailable("redis does not answer")))
    response = make_client(profiles=away).delete("/v1/users/ada")
    assert response.status_code == 202
    assert response.json() == {
        "removed": None,
        "found_afterwards": None,
        "follows": ["profile", "open lists", "example log"],
    }


@pytest.mark.usefixtures("ada_clicked_the_dress")
def test_nothing_is_erased_unless_all_will_hear_of_it(make_client: MakeClient, services: Services) -> None:
    away = Mock(publish_and_wait=Mock(side_effect=PublisherError("no broker is up")))
    client = make_client(ServerSettings(pseudonym_key=SecretStr(KEY)), publisher=away)
    response = client.delete("/v1/users/ada")
    assert (response.status_code, response.json()["type"]) == (503, "/problems/broker-unavailable")
    reader = StateReader(services.profiles, ProfileSettings())
    assert len(reader.read(ADA, (), "", NOW.timestamp()).recent.product_ids) == 1


def test_erasing_needs_a_key_where_one_is_set(make_client: MakeClient) -> None:
    client = make_client(ServerSettings(api_key=SecretStr("secret")))
    assert client.delete("/v1/users/ada").status_code == 401
    assert client.delete("/v1/users/ada", headers={"X-API-Key": "secret"}).status_code == 202
    assert client.get("/v1/users/ada/recommendations").status_code == 200


@pytest.mark.parametrize("path", ["/v1/users/" + "x" * 101, "/v1/users/" + "x" * 101 + "/recommendations"])
def test_a_name_that_is_too_long(client: TestClient, path: str) -> None:
    method = "GET" if path.endswith("recommendations") else "DELETE"
    response = client.request(method, path)
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "user_id"


def on_topic(kafka: KafkaSettings, topic: str, key: bytes) -> dict[str, Any]:
    with TopicReader(kafka, [topic]) as reader:
        for _ in range(50):
            for record in reader.read(0.2):
                if record.key == key:
                    return orjson.loads(record.value or b"")  # type: ignore[no-any-return]
    raise AssertionError(f"{key!r} did not come on {topic}")
