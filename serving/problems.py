"""Every error as problem details (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.routing import Match

from index.base import IndexRefused, IndexUnavailable
from serving.caching import NEVER_KEPT
from topics.publisher import MessageRefused, PublisherError, PublisherOverloaded

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_MAX_ERRORS = 20
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_PARAMETER_PLACES = ("query", "path", "header", "form")

# What each `type` stands for: the page at /problems/<name> says what to do, too.
PROBLEMS = {
    "invalid-json": (400, "The body is not JSON that can be read"),
    "unauthorized": (401, "The API key is missing or wrong"),
    "unknown-product": (404, "There is no such product"),
    "no-picture": (404, "The product has no picture to show anything in"),
    "too-slow": (408, "The body did not arrive in time"),
    "too-large": (413, "The request is larger than this server takes"),
    "unsupported-media-type": (415, "The body has a content type that this route does not read"),
    "invalid-fields": (422, "The request has fields that cannot be used"),
    "unusable-picture": (422, "The picture cannot be read"),
    "too-many-requests": (429, "This client has made as many requests as it may for now"),
    "index-unavailable": (503, "The index does not answer now"),
    "broker-unavailable": (503, "The broker does not take messages now"),
    "too-many-streams": (503, "As many clients as this server takes are following it"),
    "too-many-image-urls": (503, "As many pictures as this server takes are being fetched now"),
    "too-many-heat-maps": (503, "As many heat maps as this server takes are being made now"),
    "heat-map-too-slow": (503, "The picture model does not get through a heat map in time"),
    "not-ready": (503, "A part that this server needs does not answer"),
}


class FieldError(BaseModel):
    """One thing to change in the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detail: str
    pointer: str | None = Field(default=None, description="JSON Pointer into the body (RFC 6901)")
    parameter: str | None = Field(default=None, description="name of the query, path, header or form parameter")


class ProblemDetails(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(description="`/problems/<name>`, or `about:blank` where the status says it all")
    title: str
    status: int
    detail: str
    request_id: str | None = Field(default=None, description="what the server's log calls this request")
    errors: list[FieldError] | None = None


class Problem(Exception):
    """Ends a request with problem details; `name` is a key of PROBLEMS."""

    def __init__(
        self,
        name: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def response(self, request_id: str | None = None) -> Response:
        status, title = PROBLEMS[self.name]
        problem = ProblemDetails(
            type=f"/problems/{self.name}",
            title=title,
            status=status,
            detail=self.detail,
            request_id=request_id,
            errors=list(self.errors) or None,
        )
        return _response(problem, self.headers)


def unavailable(name: str, detail: str, retry_after_seconds: int = 5) -> Problem:
    return Problem(name, detail, headers={"Retry-After": str(retry_after_seconds)})


def unknown_product(product_id: str) -> Problem:
    return Problem("unknown-product", f"no product {product_id[:80]!r} is in the index")


def invalid_field(detail: str, pointer: str | None = None, parameter: str | None = None) -> Problem:
    return Problem("invalid-fields", detail, [FieldError(detail=detail, pointer=pointer, parameter=parameter)])


def invalid_fields(errors: Sequence[ErrorDetails], place: str = "body") -> Problem:
    """What pydantic found wrong, as one problem; `place` is where locations start: body or form."""
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem("invalid-json", errors[0]["msg"][:500])
    listed = [_field_error((place, *error["loc"]), _said(error)) for error in errors[:_MAX_ERRORS]]
    first = listed[0]
    where = first.parameter or (first.pointer or "").removeprefix("#").removeprefix("/")
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return Problem("invalid-fields", f"{where}: {first.detail}{more}" if where else f"{first.detail}{more}", listed)


def from_validation(error: ValidationError, place: str = "body") -> Problem:
    return invalid_fields(error.errors(include_url=False, include_context=False, include_input=False), place)


def internal_error(request_id: str) -> Response:
    """Says nothing of the cause: the log has it under the request's id."""
    detail = f"The server failed; its log has the cause under request {request_id}"
    return _response(
        ProblemDetails(
            type="about:blank", title="Internal Server Error", status=500, detail=detail, request_id=request_id
        )
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Turns what routes raise into problem details."""

    @app.exception_handler(Problem)
    def problem(request: Request, error: Problem) -> Response:
        return error.response(request_id(request))

    @app.exception_handler(RequestValidationError)
    def parameters(request: Request, error: RequestValidationError) -> Response:
        details = [{**item, "loc": item["loc"][1:]} for item in error.errors()]
        place = str(error.errors()[0]["loc"][0])
        return invalid_fields(details, place).response(request_id(request))  # type: ignore[arg-type]

    @app.exception_handler(HTTPException)
    def framework(request: Request, error: HTTPException) -> Response:
        title = HTTPStatus(error.status_code).phrase
        detail = error.detail if error.detail != title else f"{request.method} {request.url.path}: {title}"
        details = ProblemDetails(
            type="about:blank", title=title, status=error.status_code, detail=detail, request_id=request_id(request)
        )
        allowed = {"Allow": _allowed(app, request)} if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else {}
        return _response(details, {**(error.headers or {}), **allowed})

    @app.exception_handler(IndexUnavailable)
    def index_down(request: Request, error: IndexUnavailable) -> Response:
        logger.warning("Request %s found no index: %s", request_id(request), error)  # the address is for operators only
        return unavailable("index-unavailable", "search again in a moment").response(request_id(request))

    @app.exception_handler(IndexRefused)
    def index_refused(request: Request, error: IndexRefused) -> Response:
        logger.warning("Request %s was refused by the index: %s", request_id(request), error)
        return Problem("invalid-fields", str(error)).response(request_id(request))

    @app.exception_handler(PublisherError)
    def publisher(request: Request, error: PublisherError) -> Response:
        if isinstance(error, MessageRefused):
            return Problem("too-large", str(error)).response(request_id(request))
        wait = 1 if isinstance(error, PublisherOverloaded) else 5
        return unavailable("broker-unavailable", str(error), wait).response(request_id(request))


def request_id(request: Request) -> str | None:
    found: str | None = request.scope.get("request_id")
    return found


def _allowed(app: FastAPI, request: Request) -> str:
    """Methods that some route takes for the request's path; the framework names those of the first alone."""
    asked = [(method, {**request.scope, "method": method}) for method in _METHODS]
    taken = [method for method, scope in asked if any(route.matches(scope)[0] is Match.FULL for route in app.routes)]
    return ", ".join(taken)


def _said(error: ErrorDetails) -> str:
    """Without what only says how the check is written."""
    if error["type"] in {"model_type", "dict_type"}:
        return "Input should be a JSON object"
    return error["msg"].removeprefix("Value error, ")


def _field_error(location: Sequence[int | str], message: str) -> FieldError:
    place, *path = location
    if place in _PARAMETER_PLACES:
        return FieldError(detail=message[:500], parameter=".".join(map(str, path)) or None)
    steps = (str(step).replace("~", "~0").replace("/", "~1")[:200] for step in path)
    return FieldError(detail=message[:500], pointer="#" + "".join(f"/{step}" for step in steps))


def _response(problem: ProblemDetails, headers: Mapping[str, str] | None = None) -> Response:
    body: dict[str, Any] = problem.model_dump(exclude_none=True)
    return Response(orjson.dumps(body), problem.status, {**NEVER_KEPT, **(headers or {})}, MEDIA_TYPE)
