"""Facets, sorts, totals and phrases of a query, as HTTP gives them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.unit.serving.conftest import MakeClient


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


def found(client: TestClient, **parameters: object) -> dict[str, Any]:
    answer = client.get("/v1/search", params=parameters)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(answer: dict[str, Any]) -> list[str]:
    return [result["product"]["id"] for result in answer["results"]]


def test_a_price_phrase_becomes_a_filter_that_is_shown_and_can_be_taken_off(client: TestClient) -> None:
    answer = found(client, q="dress under 40 euros")

    [phrase] = answer["understood"]["phrases"]
    assert (phrase["text"], answer["understood"]["text"].strip()) == ("under 40 euros", "dress")
    assert {"field": "price", "at_most": 40.0, "at_least": None, "any_of": []} in phrase["filters"]
    assert set(ids(answer)) == {"shirt", "lamp"}

    taken_off = found(client, q="dress under 40 euros", as_words=phrase["text"])
    assert taken_off["understood"]["phrases"] == []
    assert "dress" in ids(taken_off)
    assert found(client, q="dress under 40 euros", interpret=False)["understood"]["phrases"] == []


def test_a_query_of_nothing_but_filters_finds_what_they_find(client: TestClient) -> None:
    assert ids(found(client, q="under 30 euros")) == ["shirt"]


def test_facets_tell_how_many_each_value_finds(client: TestClient) -> None:
    answer = found(client, q="dress", facet=["brand", "price", "attributes.washable"])

    brand, price, washable = answer["facets"]
    assert brand["values"] == [{"value": "Loom", "count": 2}, {"value": "Lux", "count": 1}]
    assert (price["lowest"], price["highest"], price["values"]) == (20, 60, [])
    assert washable["values"] == [{"value": True, "count": 1}]
    assert answer["total"] == {"matches": 3, "exact": True}


@pytest.mark.parametrize(
    ("sort", "expected"), [("price", ["shirt", "lamp", "dress"]), ("-price", ["dress", "lamp", "shirt"])]
)
def test_results_in_the_order_of_their_price(client: TestClient, sort: str, expected: list[str]) -> None:
    assert ids(found(client, q="dress", sort=sort)) == expected


def test_filters_that_exclude_each_other_are_explained(client: TestClient) -> None:
    answer = found(client, q="dress", price_min=50, price_max=20)

    assert (answer["results"], answer["total"]) == ([], {"matches": 0, "exact": True})
    assert "price cannot be" in answer["notes"][0]


@pytest.mark.parametrize("wrong", [{"facet": "colour"}, {"sort": "cheapest"}, {"facet": ["brand"] * 21}])
def test_what_cannot_be_counted_or_sorted_by_is_refused(client: TestClient, wrong: dict[str, Any]) -> None:
    answer = client.get("/v1/search", params={"q": "dress", **wrong})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
