"""One product, as search would show it."""

from typing import Any

import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response

from serving.answers import kept_response
from serving.openapi import answer_example, problem_responses
from serving.openapi_examples import LOOKED_UP
from serving.problems import unknown_product
from serving.product_models import ProductPath
from serving.search_answers import shown_product
from serving.services import Services


def lookup_router(services: Services) -> APIRouter:
    router = APIRouter(tags=["search"])

    @router.get(
        "/v1/products/{product_id:path}",
        response_model=dict[str, Any],
        responses=answer_example(LOOKED_UP) | problem_responses(404, 422, 429, 503),
    )
    async def product(request: Request, product_id: ProductPath) -> Response:
        """A product as the index holds it. Its ETag changes with the product."""
        found = await run_sync(services.index.documents, [product_id])
        if product_id not in found:
            raise unknown_product(product_id)
        shown = orjson.dumps(shown_product(found[product_id], services.links), option=orjson.OPT_SORT_KEYS)
        return kept_response(request, shown, "application/json")

    return router
