"""Products like a given one."""

from time import perf_counter
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Response

from ranking.similar import SimilarRequest
from serving.answers import json_response
from serving.filters import IN_STOCK
from serving.openapi import problem_responses
from serving.problems import unknown_product
from serving.product_models import ProductPath
from serving.query_log import Answered, QueryLog
from serving.search_answers import milliseconds, new_query_id, result_content, shown, shown_product
from serving.search_models import SimilarParameters, SimilarResponse
from serving.services import Services
from serving.shoppers import Askers


def similar_router(services: Services, askers: Askers, queries: QueryLog) -> APIRouter:
    router = APIRouter(tags=["recommendations"])

    @router.get(
        "/v1/products/{product_id:path}/similar",
        response_model=SimilarResponse,
        responses=problem_responses(404, 422, 429, 503),
    )
    async def similar(product_id: ProductPath, parameters: Annotated[SimilarParameters, Query()]) -> Response:
        """The nearest products by text and picture: a recommendation that needs no history."""
        return await anyio.to_thread.run_sync(answer, product_id, parameters)

    def answer(product_id: str, parameters: SimilarParameters) -> Response:
        start = perf_counter()
        filters = (IN_STOCK,) if parameters.available else ()
        hits = services.search.similar(SimilarRequest(product_id, parameters.limit, filters))
        product = services.index.documents([product_id]).get(product_id)
        if hits is None or product is None:
            raise unknown_product(product_id)
        query_id = new_query_id()
        if parameters.track:
            answered = Answered(query_id, "", "similar", shown(hits), services.search.releases)
            queries.record(answered, askers.asker(parameters))
        return json_response(
            {
                "query_id": query_id,
                "product": shown_product(product, services.links),
                "results": [result_content(hit, parameters.explain, services.links) for hit in hits],
                "took_ms": milliseconds(perf_counter() - start),
            }
        )

    return router
