"""GET /v1/products/{id}/similar."""

from contextlib import closing

from fastapi.testclient import TestClient

from encoders.hash import HashEncoder
from index.text_analysis import Analyser
from ranking.search import Search
from ranking.settings import RankingSettings
from serving.services import Services
from tests.unit.serving.conftest import MakeClient, index_by_title


def test_products_like_one_with_that_one_on_top(client: TestClient) -> None:
    answer = client.get("/v1/products/dress/similar", params={"limit": 2, "explain": True})

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["product"]["title"] == "Linen dress"
    assert "dress" not in {result["product"]["id"] for result in body["results"]}
    assert len(body["results"]) == 2
    assert set(body["results"][0]["explanation"]) <= {"text", "image"}


def test_an_unknown_product_is_not_found(client: TestClient) -> None:
    answer = client.get("/v1/products/never-was/similar")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert "never-was" in answer.json()["detail"]


def test_a_limit_beyond_what_is_given_is_refused(client: TestClient) -> None:
    assert client.get("/v1/products/dress/similar", params={"limit": 1000}).status_code == 422


def test_what_is_out_of_stock_comes_last_and_says_so(
    make_client: MakeClient, services: Services, analyser: Analyser
) -> None:
    gone = {"id": "nearest", "title": "red wool coat", "availability": "out_of_stock"}
    there = {"id": "other", "title": "red leather shoe", "availability": "in_stock"}
    index = index_by_title([{"id": "coat", "title": "red wool coat"}, gone, there], analyser)
    encoder = HashEncoder()
    with closing(Search(index, encoder, encoder, analyser, RankingSettings(), services.metrics)) as search:
        client = make_client(search=search, index=index)
        told, untold = (
            client.get("/v1/products/coat/similar", params={"available": False, "explain": explain}).json()["results"]
            for explain in (True, False)
        )

    assert [(one["product"]["id"], one.get("behind")) for one in told] == [("other", None), ("nearest", "out_of_stock")]
    assert [(one["product"]["id"], "behind" in one) for one in untold] == [("other", False), ("nearest", False)]
