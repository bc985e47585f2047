"""Candidates of another engine, over HTTP."""

from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient

from feedback.store import StoreUnavailable
from ranking.reranking import NOT_READ
from ranking.stock import Stock
from serving.rank_models import MOST_CANDIDATES
from serving.services import Services
from serving.settings import ServerSettings
from tests.unit.ranking.taste_features import TasteFeatures
from tests.unit.serving.conftest import MakeClient, make_reranker

FOUND = [{"product_id": "dress", "score": 20.0}, {"product_id": "elsewhere", "score": 10.0}, {"product_id": "lamp"}]


def ranked(client: TestClient, **asked: Any) -> dict[str, Any]:
    response = client.post("/v1/rank", json={"candidates": FOUND} | asked)
    assert response.status_code == 200, response.text
    return response.json()  # type: ignore[no-any-return]


def ids(answer: dict[str, Any]) -> list[str]:
    return [result["product_id"] for result in answer["results"]]


def test_of_whom_nothing_is_known_sees_the_engines_order(client: TestClient) -> None:
    answer = ranked(client)
    assert ids(answer) == ["dress", "elsewhere", "lamp"]
    assert [(one["position"], one["from_position"]) for one in answer["results"]] == [(1, 1), (2, 2), (3, 3)]
    assert "parts" not in answer["results"][0]


def test_what_the_shopper_likes_comes_first_with_each_features_part(
    make_client: MakeClient, services: Services
) -> None:
    features = TasteFeatures(likes={"lamp": 3.0})
    client = make_client(reranker=make_reranker(features, services.metrics))
    answer = ranked(client, user_id="ada", session_id="s", text="lamp", place="Ulm", explain=True)
    assert ids(answer) == ["lamp", "dress", "elsewhere"]
    lamp, dress, elsewhere = answer["results"]
    assert (lamp["position"], lamp["from_position"]) == (1, 3)
    assert lamp["parts"] == pytest.approx({"position": -0.003, "taste": 3.0})
    assert dress["parts"]["score"] == 1.0, "of the engine's best"
    assert elsewhere["parts"]["score"] == 0.5
    assert answer["ranker"].startswith("hand-set@")
    (situation,) = features.asked
    assert len(situation.shopper) == len(situation.session) == 32
    assert (situation.text, situation.kind, situation.context) == (
        "lamp",
        "rank",
        {"daypart": "afternoon", "place": "Ulm"},
    )


def test_what_was_bought_or_hidden_is_left_out_and_told(make_client: MakeClient, services: Services) -> None:
    features = TasteFeatures(bought={"dress", "not a candidate"}, hidden={"lamp"})
    answer = ranked(make_client(reranker=make_reranker(features, services.metrics)), user_id="ada")
    assert ids(answer) == ["elsewhere"]
    assert answer["left_out"] == [
        {"product_id": "dress", "reason": "bought"},
        {"product_id": "lamp", "reason": "hidden"},
    ]


def test_what_is_out_of_stock_comes_last_and_says_so(make_client: MakeClient, services: Services) -> None:
    stock = Stock()
    stock.learn([{"id": "dress", "availability": "out_of_stock"}])
    client = make_client(reranker=make_reranker(TasteFeatures(), services.metrics, stock))
    answer = ranked(client, explain=True)
    assert [(one["product_id"], one.get("behind")) for one in answer["results"]] == [
        ("elsewhere", None),
        ("lamp", None),
        ("dress", "out_of_stock"),
    ]
    assert not any("behind" in one for one in ranked(client)["results"])


def test_scores_below_nothing_keep_their_order(client: TestClient) -> None:
    found = [{"product_id": "a", "score": -1.0}, {"product_id": "b", "score": -3.0}, {"product_id": "c", "score": -2.0}]
    answer = ranked(client, candidates=found, explain=True)
    assert ids(answer) == ["a", "c", "b"]
    assert answer["results"][1]["parts"]["score"] == 0.5


def test_no_more_is_answered_or_drawn_by_lot_than_is_shown(make_client: MakeClient, services: Services) -> None:
    features = TasteFeatures()
    reranker = make_reranker(features, services.metrics, exploration={"share": 1.0, "places": 3})
    client = make_client(reranker=reranker)
    assert {tuple(ids(ranked(client, limit=2))) for _ in range(12)} == {("dress", "elsewhere"), ("elsewhere", "dress")}


def test_the_engines_order_stands_while_nothing_can_be_read(make_client: MakeClient, services: Services) -> None:
    away = Mock(input=Mock(side_effect=StoreUnavailable("redis does not answer")))
    answer = ranked(make_client(reranker=make_reranker(away, services.metrics)), user_id="ada")
    assert (ids(answer), answer["notes"]) == (["dress", "elsewhere", "lamp"], [NOT_READ])


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"candidates": []}, "#/candidates"),
        ({"candidates": [{"product_id": f"p{number}"} for number in range(MOST_CANDIDATES + 1)]}, "#/candidates"),
        ({"candidates": [{"product_id": ""}]}, "#/candidates/0/product_id"),
        ({"candidates": [{"product_id": "a", "score": "1"}]}, "#/candidates/0/score"),
        ({"candidates": [{"product_id": "a"}, {"product_id": "a"}]}, "#"),
        ({"candidates": FOUND, "limit": 0}, "#/limit"),
        ({"candidates": FOUND, "explain": 0}, "#/explain"),
        ({"candidates": FOUND, "user_id": "x" * 101}, "#/user_id"),
        ({"candidates": FOUND, "user": "ada"}, "#/user"),
        ({}, "#/candidates"),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_its_place(client: TestClient, wrong: Any, pointer: str) -> None:
    response = client.post("/v1/rank", json=wrong)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_what_is_wrong_is_said_without_words_of_the_code(client: TestClient) -> None:
    def detail(body: Any) -> Any:
        return client.post("/v1/rank", json=body).json()["detail"]

    twice = {"candidates": [{"product_id": "a"}, {"product_id": "b"}, {"product_id": "a"}]}
    assert detail(twice) == "product 'a' is among the candidates twice: at 0 and 2"
    assert detail(7) == detail([]) == "Input should be a JSON object"
    assert detail({"candidates": [7]}) == "candidates/0: Input should be a JSON object"


def test_a_body_that_is_no_json(client: TestClient) -> None:
    json = {"Content-Type": "application/json"}
    assert client.post("/v1/rank", content=b"{", headers=json).status_code == 400
    assert client.post("/v1/rank", content=b"{}").status_code == 415


def test_no_key_is_asked_for(make_client: MakeClient) -> None:
    assert ranked(make_client(ServerSettings(api_key="k")))["results"]
