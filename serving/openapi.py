"""What OpenAPI cannot learn from the routes' signatures: bodies they read themselves, and problems."""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel

from serving import openapi_examples
from serving.answers import kept_response
from serving.event_models import SentEvent
from serving.filters import FilterInput
from serving.problems import MEDIA_TYPE, PROBLEMS, ProblemDetails
from serving.rank_models import RankCandidate
from serving.search_models import SearchForm, SearchQuery

_REFERENCE = "#/components/schemas/{model}"


def problem_responses(*statuses: int, example: str = "") -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may end in these statuses.

    `example` names the problem to show for its status; elsewhere it is the first of the status in PROBLEMS.
    """
    schema = {"$ref": _REFERENCE.format(model=ProblemDetails.__name__)}
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        name = example if PROBLEMS.get(example, (0,))[0] == status else _first_problem(status)
        content = {MEDIA_TYPE: {"schema": schema, "example": problem_example(name)}}
        responses[status] = {"description": HTTPStatus(status).phrase, "content": content}
    return responses


def no_such_address() -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for addresses that no route has, such as an id with a line break."""
    example = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "PUT /v1/products/\n: Not Found"}
    schema = {"$ref": _REFERENCE.format(model=ProblemDetails.__name__)}
    return {404: {"description": "Not Found", "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}}


def answer_example(value: Any, media_type: str = "application/json") -> dict[int | str, Any]:
    """The `responses` of a route whose answer is no model, with what a good one looks like."""
    return {200: {"content": {media_type: {"example": value}}}}


def problem_example(name: str) -> dict[str, Any]:
    status, title = PROBLEMS[name]
    detail = openapi_examples.PROBLEM_DETAILS.get(name, title)
    errors = {"errors": [openapi_examples.MODELS["FieldError"]]} if name == "invalid-fields" else {}
    return {
        "type": f"/problems/{name}",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": openapi_examples.REQUEST_ID,
        **errors,
    }


def _first_problem(status: int) -> str:
    return next(name for name, (found, _) in PROBLEMS.items() if found == status)


def json_body(schema: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads a JSON body itself."""
    named = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": named}}}}


def model_body(model: type[BaseModel], examples: Mapping[str, Any]) -> dict[str, Any]:
    """The same, where a model says what the body is; `add_schemas` knows its parts."""
    schema = model.model_json_schema(ref_template=_REFERENCE)
    schema.pop("$defs", None)
    return json_body(schema, examples)


def search_body() -> dict[str, Any]:
    """The `openapi_extra` of POST /v1/search: a JSON query or a form."""
    form = SearchForm.model_json_schema(ref_template=_REFERENCE)
    form.pop("$defs")
    form["properties"] = {name: _or_empty(schema) for name, schema in form["properties"].items()}
    form["properties"] |= {"image": {"type": "string", "format": "binary", "description": "the picture, as a file"}}
    query = SearchQuery.model_json_schema(ref_template=_REFERENCE)
    query.pop("$defs")
    queries = {name: {"value": value} for name, value in openapi_examples.SEARCH_QUERIES.items()}
    content = {
        "application/json": {"schema": query, "examples": queries},
        "multipart/form-data": {"schema": form, "example": openapi_examples.SEARCH_FORM},
    }
    return {"requestBody": {"required": True, "content": content}}


def _or_empty(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A form's field that nobody filled in is as good as none."""
    return {"anyOf": [schema, {"const": ""}]}


def add_schemas(app: FastAPI) -> None:
    """Puts the schemas that the functions above point to into the document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in (SentEvent, ProblemDetails, FilterInput, RankCandidate):
            schema = model.model_json_schema(ref_template=_REFERENCE)
            schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
        _drop_the_frameworks_own_errors(document)
        _add_examples(document, openapi_examples.MODELS | {"ProblemDetails": problem_example("invalid-fields")})
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_examples(document: dict[str, Any], models: Mapping[str, Any]) -> None:
    """To each model and each answer that is one; here, since the framework takes every null out of what routes say."""
    by_reference = {_REFERENCE.format(model=name): example for name, example in models.items()}
    for operation in _operations(document):
        for answer in operation["responses"].values():
            for media in answer.get("content", {}).values():
                if (reference := media.get("schema", {}).get("$ref")) in by_reference:
                    media.setdefault("example", by_reference[reference])
    for name, example in models.items():
        document["components"]["schemas"][name].setdefault("examples", [example])


def _drop_the_frameworks_own_errors(document: dict[str, Any]) -> None:
    """Of routes that say nothing of 422; ours are problem details everywhere."""
    for operation in _operations(document):
        if "application/json" in operation["responses"].get("422", {}).get("content", {}):
            del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for path in document["paths"].values() for operation in path.values())


def openapi_router(app: FastAPI) -> APIRouter:
    """The document at /openapi.json, written once."""
    router = APIRouter(include_in_schema=False)

    @cache
    def document() -> bytes:
        return orjson.dumps(app.openapi())

    @router.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        return kept_response(request, document(), "application/json")

    return router
