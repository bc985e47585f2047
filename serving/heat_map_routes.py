"""Where in a product's picture its similarity to a query lies."""

from time import monotonic, perf_counter
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from PIL.Image import Image
from pydantic import BaseModel, ConfigDict, Field

from encoders.base import UnusableVector
from encoders.images import ImageError, decode_image
from encoders.occlusion import OcclusionTooSlow
from ranking.queries import SearchRequest
from ranking.query_encoding import LegLeftOut
from serving.answers import json_response
from serving.openapi import problem_responses, search_body
from serving.places import Places, QueryThreads
from serving.problems import Problem, unavailable, unknown_product
from serving.product_models import ProductPath
from serving.search_answers import Asked, RequestReader, for_strangers, from_parameters, milliseconds
from serving.search_models import SearchParameters
from serving.search_routes import asked_in_body
from serving.services import Services
from serving.settings import ServerSettings


class HeatMap(BaseModel):
    """A grid over the whole of the product's first picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_id: str
    similarity: float = Field(description="cosine of the query and the picture")
    values: list[list[float]] = Field(
        description="rows from the top, each from the left; 1: covering this part costs the most similarity; 0: none"
    )
    took_ms: float


def heat_map_router(services: Services, settings: ServerSettings, threads: QueryThreads) -> APIRouter:
    router = APIRouter(tags=["search"])
    maps = _HeatMaps(services, settings, threads)
    problems = problem_responses(400, 404, 408, 413, 415, 422, 429, 503, example="too-many-heat-maps")
    path = "/v1/products/{product_id:path}/heatmap"

    @router.get(path, response_model=HeatMap, responses=problems)
    async def heat_map(product_id: ProductPath, parameters: Annotated[SearchParameters, Query()]) -> Response:
        """Which parts of the product's picture match a search by text or by link; it takes the search's parameters."""
        return await maps.answer(product_id, from_parameters(parameters, parameters.q))

    @router.post(path, response_model=HeatMap, responses=problems, openapi_extra=search_body())
    async def heat_map_by_body(product_id: ProductPath, request: Request) -> Response:
        """The same of a search by an uploaded picture; it takes the search's body."""
        return await maps.answer(product_id, await asked_in_body(request))

    return router


class _HeatMaps:
    """On few threads of their own: each map is as much work for the model as dozens of searches."""

    def __init__(self, services: Services, settings: ServerSettings, threads: QueryThreads) -> None:
        self._services = services
        self._requests = RequestReader(services)
        self._seconds = settings.heat_map_timeout_seconds
        self._queries = threads
        self._places = Places(settings.max_heat_maps, "too-many-heat-maps", "ask for it again in a moment")

    async def answer(self, product_id: str, asked: Asked) -> Response:
        """Raises Problem at once where no place is free. The query's picture is fetched before a place is taken."""
        start = perf_counter()
        request = await self._queries.run(self._requests.request, asked)
        return await self._places.run(self._answer, product_id, request, start)

    def _answer(self, product_id: str, request: SearchRequest, start: float) -> Response:
        end = monotonic() + self._seconds
        picture = self._picture(product_id)
        if monotonic() > end:
            raise unavailable("heat-map-too-slow", "the product's picture was not there in time")
        try:
            found = self._services.search.heat_map(request, picture, lambda: monotonic() > end)
        except LegLeftOut as reason:
            raise Problem("invalid-fields", f"pictures were not searched: {reason}") from None
        except UnusableVector as error:
            raise Problem("unusable-picture", str(error)) from None
        except OcclusionTooSlow as error:
            raise unavailable("heat-map-too-slow", str(error)) from None
        return json_response(
            {
                "product_id": product_id,
                "similarity": found.similarity,
                "values": found.values.astype(float).round(3).tolist(),
                "took_ms": milliseconds(perf_counter() - start),
            }
        )

    def _picture(self, product_id: str) -> Image:
        """The picture that is indexed: the product's first."""
        product = self._services.index.documents([product_id]).get(product_id)
        if product is None:
            raise unknown_product(product_id)
        link = next(iter(product.get("image_links", ())), None)
        if link is None:
            raise Problem("no-picture", f"product {product_id[:80]!r} has no picture")
        try:
            return decode_image(self._services.product_images.fetch(link), self._services.image_limits)
        except ImageError as error:
            raise Problem("no-picture", for_strangers(error.reason, "the product's link")) from None
