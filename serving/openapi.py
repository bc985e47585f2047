"""What OpenAPI cannot learn from the routes' signatures: bodies they read themselves, and problems."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response

from serving.answers import kept_response
from serving.filters import FilterInput
from serving.problems import MEDIA_TYPE, ProblemDetails
from serving.search_models import SearchForm, SearchQuery
from topics.behavior import BehaviorEvent

_REFERENCE = "#/components/schemas/{model}"


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may end in these statuses."""
    schema = {"$ref": _REFERENCE.format(model=ProblemDetails.__name__)}
    content = {MEDIA_TYPE: {"schema": schema}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def json_body(schema: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads a JSON body itself."""
    named = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": named}}}}


def search_body() -> dict[str, Any]:
    """The `openapi_extra` of POST /v1/search: a JSON query or a form."""
    form = SearchForm.model_json_schema(ref_template=_REFERENCE)
    form.pop("$defs")
    form["properties"] = {name: _or_empty(schema) for name, schema in form["properties"].items()}
    form["properties"] |= {"image": {"type": "string", "format": "binary", "description": "the picture, as a file"}}
    query = SearchQuery.model_json_schema(ref_template=_REFERENCE)
    query.pop("$defs")
    examples = {"filtered": {"value": {"text": "dress", "filters": [{"field": "price", "at_most": 50}], "limit": 5}}}
    content = {"application/json": {"schema": query, "examples": examples}, "multipart/form-data": {"schema": form}}
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
        for model in (BehaviorEvent, ProblemDetails, FilterInput):
            schema = model.model_json_schema(ref_template=_REFERENCE)
            schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


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
