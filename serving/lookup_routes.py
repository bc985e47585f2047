"""One product, as search would show it."""

from typing import Annotated, Any

import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Request, Response

from serving.answers import kept_response
from serving.media_routes import MediaLinks
from serving.openapi import problem_responses
from serving.problems import unknown_product
from serving.search_answers import shown_product
from serving.services import Services
from topics.events import ProductId


def lookup_router(services: Services) -> APIRouter:
    router = APIRouter(tags=["search"])
    links = MediaLinks(services.media_root)

    @router.get(
        "/v1/products/{product_id:path}",
        response_model=dict[str, Any],
        responses=problem_responses(404, 422, 429, 503),
    )
    async def product(request: Request, product_id: Annotated[ProductId, Path()]) -> Response:
        """A product as the index holds it. Its ETag changes with the product."""
        found = await run_sync(services.index.documents, [product_id])
        if product_id not in found:
            raise unknown_product(product_id)
        shown = orjson.dumps(shown_product(found[product_id], links), option=orjson.OPT_SORT_KEYS)
        return kept_response(request, shown, "application/json")

    return router
