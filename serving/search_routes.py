"""Search by text, by picture, or by both."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from serving.openapi import problem_responses, search_body
from serving.places import QueryThreads
from serving.problems import from_validation, invalid_field
from serving.query_log import QueryLog
from serving.request_bodies import media_type, unsupported
from serving.search_answers import Answerer, Asked, from_parameters, from_query
from serving.search_models import SearchForm, SearchParameters, SearchQuery, SearchResponse
from serving.services import Services
from serving.shoppers import Askers

_MAX_FORM_FIELDS = 500
_FORM_LISTS = ("filter", "brand", "category", "availability", "facet", "as_words")


def search_router(services: Services, threads: QueryThreads, askers: Askers, queries: QueryLog) -> APIRouter:
    router = APIRouter(tags=["search"])
    answerer = Answerer(services, askers, queries)

    @router.get("/v1/search", response_model=SearchResponse, responses=problem_responses(413, 422, 429, 503))
    async def search(parameters: Annotated[SearchParameters, Query()]) -> Response:
        """Search by text (`q`), by the picture behind `image_url`, or by both."""
        return await threads.run(answerer.answer, from_parameters(parameters, parameters.q))

    @router.post(
        "/v1/search",
        response_model=SearchResponse,
        responses=problem_responses(400, 408, 413, 415, 422, 429, 503),
        openapi_extra=search_body(),
    )
    async def search_by_body(request: Request) -> Response:
        """Search by a JSON query, or by a form with the picture as file `image`."""
        return await threads.run(answerer.answer, await asked_in_body(request))

    return router


async def asked_in_body(request: Request) -> Asked:
    """From a JSON query, or from a form with the picture as a file. Raises Problem."""
    match media_type(request):
        case "application/json":
            return await _from_json(request)
        case "multipart/form-data":
            return await _from_form(request)
        case other:
            raise unsupported("application/json or multipart/form-data", other)


async def _from_json(request: Request) -> Asked:
    try:
        return from_query(SearchQuery.model_validate_json(await request.body()))
    except ValidationError as error:
        raise from_validation(error) from None


async def _from_form(request: Request) -> Asked:
    async with request.form(max_files=1, max_fields=_MAX_FORM_FIELDS) as form:
        picture = await _picture(form)
        try:
            parameters = SearchForm.model_validate(_fields(form))
        except ValidationError as error:
            raise from_validation(error, "form") from None
    return from_parameters(parameters, parameters.text, picture)


async def _picture(form: FormData) -> bytes | None:
    upload = form.get("image")
    if upload is None:
        return None
    if not isinstance(upload, UploadFile):
        raise invalid_field("image is a file: give it a filename", parameter="image")
    picture = await upload.read()
    return picture if picture or upload.filename else None  # a form whose file was not chosen sends an empty one


def _fields(form: FormData) -> dict[str, Any]:
    """Empty fields are those that nobody filled in."""
    fields: dict[str, Any] = {}
    for name in form.keys() - {"image"}:
        values = [value for value in form.getlist(name) if value != ""]
        if values:
            fields[name] = values if name in _FORM_LISTS or len(values) > 1 else values[0]
    return fields
