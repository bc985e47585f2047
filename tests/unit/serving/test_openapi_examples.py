"""The API's description is valid, and each of its examples is true."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from serving.openapi import problem_example
from serving.openapi_examples import HEAT_MAP, LOOKED_UP, SEARCH_ANSWER, SEARCH_QUERIES, SIMILAR_ANSWER, TRENDING_ANSWER
from serving.problems import PROBLEMS
from tests.unit.serving.conftest import without_figures

STREAMS = {"/v1/indexed-products"}
NEEDS_A_PICTURE = {"/v1/products/{product_id}/heatmap"}  # which the example says to be elsewhere


@pytest.fixture
def description(shop: TestClient) -> dict[str, Any]:
    return shop.get("/openapi.json").json()  # type: ignore[no-any-return]


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def examples(media: dict[str, Any]) -> list[Any]:
    return [
        *([media["example"]] if "example" in media else []),
        *(one["value"] for one in media.get("examples", {}).values()),
    ]


def validator(description: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": description["components"]})


def test_the_description_is_valid_openapi(description: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(description).validate()


def test_every_request_every_answer_and_every_problem_has_an_example_that_fits(description: dict[str, Any]) -> None:
    for method, path, operation in operations(description):
        bodies = operation.get("requestBody", {}).get("content", {})
        answers = [media for answer in operation["responses"].values() for media in answer["content"].values()]
        for media in (*bodies.values(), *answers):
            assert examples(media), f"{method} {path}"
            for example in examples(media):
                validator(description, media.get("schema", {})).validate(example)
        for parameter in operation.get("parameters", []):
            for example in parameter["schema"].get("examples", []):
                validator(description, parameter["schema"]).validate(example)


def test_every_model_has_an_example_that_fits(description: dict[str, Any]) -> None:
    for name, schema in description["components"]["schemas"].items():
        if schema["type"] == "object":
            assert schema.get("examples"), f"{name} has no example: add one to serving/openapi_examples.py"
            for example in schema["examples"]:
                validator(description, schema).validate(example)


def test_every_request_example_works(shop: TestClient, description: dict[str, Any]) -> None:
    for method, path, operation in operations(description):
        if path in STREAMS | NEEDS_A_PICTURE:
            continue
        parameters = {
            place: {
                one["name"]: one["schema"]["examples"][0]
                for one in operation.get("parameters", [])
                if one["in"] == place and "examples" in one["schema"]
            }
            for place in ("path", "query")
        }
        url = path.format(**parameters["path"])
        bodies = operation.get("requestBody", {}).get("content", {})
        requests = [
            *({"json": example} for example in examples(bodies.get("application/json", {}))),
            *(as_form(example) for example in examples(bodies.get("multipart/form-data", {}))),
        ]
        for request in requests or [{}]:
            answer = shop.request(method, url, params=parameters["query"], headers={"X-API-Key": "secret"}, **request)
            assert answer.is_success, f"{method} {url}: {answer.text}"


def as_form(fields: dict[str, Any]) -> dict[str, Any]:
    """A form with a file field, so that the client sends it as multipart."""
    parts = [(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])]
    return {"files": [(name, (None, str(value))) for name, value in parts]}


def test_the_examples_of_answers_are_what_the_requests_give(shop: TestClient) -> None:
    found = shop.post("/v1/search", json=SEARCH_QUERIES["explained"]).json()
    assert without_figures(found) == without_figures(SEARCH_ANSWER)
    assert without_figures(shop.get("/v1/products/sku-1/similar").json()) == without_figures(SIMILAR_ANSWER)
    assert without_figures(shop.get("/v1/trending?explain=true").json()) == without_figures(TRENDING_ANSWER)
    heat_map = shop.get("/v1/products/sku-1/heatmap", params={"q": "red linen dress"}).json()
    assert heat_map["values"] == HEAT_MAP["values"]
    assert shop.get("/v1/products/sku-1").json() == LOOKED_UP


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_problem_has_details_of_its_own(name: str) -> None:
    assert problem_example(name)["status"] == PROBLEMS[name][0]
