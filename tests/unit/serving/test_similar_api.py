"""GET /v1/products/{id}/similar."""

from fastapi.testclient import TestClient


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
