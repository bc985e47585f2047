"""What was asked and shown, on its way to the broker."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import orjson
import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from encoders.hash import HashEncoder
from monitoring.metrics import create_metrics
from serving.query_log import Answered, QueryLog, Shown
from serving.search_answers import new_query_id
from serving.services import Services
from serving.settings import ServerSettings
from serving.shoppers import Asker
from tests.unit.serving.conftest import NOW, MakeClient, png
from topics.behavior import BehaviorQuery
from topics.catalogue import BEHAVIOR_QUERIES
from topics.embedded_broker import MockCluster
from topics.publisher import Delivery, MessageRefused, Publisher, PublisherError, PublisherOverloaded
from topics.reader import TopicReader
from topics.settings import KafkaSettings


class Recorded:
    """Queries by their id, as they come."""

    def __init__(self, reader: TopicReader) -> None:
        self._reader = reader
        self.came: dict[str, dict[str, Any]] = {}

    def __call__(self, query_id: str) -> dict[str, Any]:
        for _ in range(50):
            if query_id in self.came:
                return self.came[query_id]
            self.came |= {
                (record.key or b"").decode(): orjson.loads(record.value or b"") for record in self._reader.read(0.2)
            }
        raise AssertionError(f"{query_id} did not come")


@pytest.fixture
def recorded(kafka: KafkaSettings) -> Iterator[Recorded]:
    with TopicReader(kafka, [BEHAVIOR_QUERIES]) as reader:
        yield Recorded(reader)


def test_a_search_is_recorded_with_all_that_it_showed(
    make_client: MakeClient, services: Services, recorded: Recorded
) -> None:
    client = make_client(ServerSettings(pseudonym_key=SecretStr("k")))
    asked = {"q": "dress", "limit": 1, "offset": 1, "user_id": "ada@shop.example", "session_id": "s", "place": "Ulm"}
    answer = client.get("/v1/search", params=asked).json()
    query = recorded(answer["query_id"])
    assert query["user_query"] == "dress"
    assert query["timestamp"] == NOW.isoformat().replace("+00:00", "Z")
    assert query["query_response_hit_ids"] == [result["product"]["id"] for result in answer["results"]]
    [score] = query["query_attributes"].pop("retrieval_scores")
    assert score == pytest.approx(answer["results"][0]["score"], abs=0.2)
    assert query["query_attributes"] == {
        "positions": [2],
        "propensities": [1.0],
        "retrieval_positions": [2],
        "releases": {
            "text": HashEncoder().release,
            "image": HashEncoder().release,
            "ranker": services.reranker.release,
        },
        "arm": "",
        "kind": "text",
        "language": "en",
        "context": {"daypart": "afternoon", "place": "Ulm"},
    }
    assert len(query["user_id"]) == len(query["session_id"]) == 32
    assert "client_id" not in query
    assert "shop.example" not in str(query)


def test_events_and_queries_of_one_person_have_one_pseudonym(make_client: MakeClient, recorded: Recorded) -> None:
    first, second = (make_client(ServerSettings(pseudonym_key=SecretStr("k"))) for _ in range(2))
    by_get = first.get("/v1/search", params={"q": "dress", "client_id": "ada"}).json()["query_id"]
    by_post = second.post("/v1/search", json={"text": "dress", "client_id": "ada"}).json()["query_id"]
    assert recorded(by_get)["client_id"] == recorded(by_post)["client_id"]


@pytest.mark.parametrize(("path", "kind"), [("/v1/products/dress/similar", "similar"), ("/v1/trending", "trending")])
def test_lists_without_words_are_recorded_too(client: TestClient, recorded: Recorded, path: str, kind: str) -> None:
    answer = client.get(path).json()
    query = recorded(answer["query_id"])
    assert (query["user_query"], query["query_attributes"]["kind"]) == ("", kind)
    assert query["query_response_hit_ids"] == [result["product"]["id"] for result in answer["results"]]


def test_a_search_by_form_is_recorded(client: TestClient, recorded: Recorded) -> None:
    form = {"user_id": (None, "ada"), "image": ("dress.png", png(), "image/png")}
    query = recorded(client.post("/v1/search", files=form).json()["query_id"])
    assert query["query_attributes"]["kind"] == "picture"
    assert len(query["user_id"]) == 32


def test_what_nobody_sees_is_not_recorded(client: TestClient, recorded: Recorded) -> None:
    unseen = client.get("/v1/search?q=dress&track=false").json()["query_id"]
    seen = client.get("/v1/search?q=dress").json()["query_id"]
    recorded(seen)
    assert unseen not in recorded.came, "the topic has one partition: it would have come before"


def test_a_search_goes_on_while_the_broker_does_not(make_client: MakeClient, services: Services) -> None:
    away = Mock(publish=Mock(side_effect=PublisherOverloaded("full")))
    client = make_client(publisher=away)
    assert client.get("/v1/search?q=dress").status_code == 200
    assert published(services.metrics, "queue_full") == 1


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (PublisherOverloaded("full"), "queue_full"),
        (MessageRefused("too large"), "refused"),
        (PublisherError("fatal"), "failed"),
    ],
)
def test_what_is_not_taken_is_counted_with_its_reason(failure: Exception, outcome: str) -> None:
    metrics = create_metrics(CollectorRegistry())
    log = QueryLog(Mock(publish=Mock(side_effect=failure)), metrics, lambda: NOW, 1)
    for _ in range(3):  # each gives its place back
        log.record(answered("q"), Asker())
    assert published(metrics, outcome) == 3


def test_text_that_no_json_holds_is_counted() -> None:
    metrics = create_metrics(CollectorRegistry())
    QueryLog(Mock(), metrics, lambda: NOW, 1).record(answered("q", text="\ud800"), Asker())
    assert published(metrics, "unwritable") == 1


def test_no_more_wait_than_may() -> None:
    metrics = create_metrics(CollectorRegistry())
    publisher = Mock()
    log = QueryLog(publisher, metrics, lambda: NOW, 2)
    for number in range(3):
        log.record(answered(f"q{number}"), Asker())
    assert publisher.publish.call_count == 2
    assert published(metrics, "queue_full") == 1
    told = publisher.publish.call_args.kwargs["on_delivery"]
    told(Delivery(BEHAVIOR_QUERIES, 0, 1))
    told(Delivery(BEHAVIOR_QUERIES, 0, -1, "timed out"))
    assert (published(metrics, "acknowledged"), published(metrics, "failed")) == (1, 1)
    log.record(answered("q3"), Asker())
    assert publisher.publish.call_count == 3


def test_query_ids_are_uuids_in_the_order_of_their_making() -> None:
    ids = [new_query_id() for _ in range(1_000)]
    assert ids == sorted(set(ids))
    assert {UUID(query_id).version for query_id in ids} == {7}


def test_nothing_is_lost_when_the_publisher_is_closed() -> None:
    cluster = MockCluster()
    cluster.create_topic(BEHAVIOR_QUERIES, 4)
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    metrics = create_metrics(CollectorRegistry())
    publisher = Publisher(settings, "test-query-log")
    sent = {str(uuid4()) for _ in range(2_000)}
    log = QueryLog(publisher, metrics, lambda: NOW, len(sent))
    for query_id in sent:
        log.record(answered(query_id), Asker(user_id="ada"))
    assert publisher.close() == 0
    assert published(metrics, "acknowledged") == len(sent)
    came: set[str] = set()
    with TopicReader(settings, [BEHAVIOR_QUERIES]) as reader:
        for _ in range(50):
            came |= {BehaviorQuery.model_validate_json(record.value or b"").query_id for record in reader.read(0.2)}
            if came == sent:
                break
    cluster.close()
    assert came == sent


def answered(query_id: str, text: str = "dress") -> Answered:
    return Answered(query_id, text, "text", [Shown("sku-1", 1, 0.9), Shown("sku-2", 2)], {"text": "hash"})


def published(metrics: Any, outcome: str) -> float:
    return float(metrics.published.labels(BEHAVIOR_QUERIES, outcome)._value.get())
