"""Products that shoppers turn to now."""

from time import perf_counter
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Response

from ranking.contradictions import contradictions
from ranking.trending_products import TrendingHit
from serving.answers import json_response
from serving.filters import with_stock
from serving.media_routes import MediaLinks
from serving.openapi import problem_responses
from serving.query_log import Answered, QueryLog, Shown
from serving.search_answers import milliseconds, new_query_id, shown_product
from serving.search_models import TrendingParameters, TrendingResponse
from serving.services import Services
from serving.shoppers import Askers


def trending_router(services: Services, askers: Askers, queries: QueryLog) -> APIRouter:
    router = APIRouter(tags=["recommendations"])

    @router.get("/v1/trending", response_model=TrendingResponse, responses=problem_responses(422, 429, 503))
    async def trending(parameters: Annotated[TrendingParameters, Query()]) -> Response:
        """What shoppers click, put into the cart and buy now: each action fades with the time since it happened."""
        return await run_sync(answer, parameters)

    def answer(parameters: TrendingParameters) -> Response:
        start = perf_counter()
        filters = with_stock(parameters, parameters.available)
        notes = contradictions(filters)
        hits = [] if notes else services.trending.find(services.clock(), parameters.limit, filters)
        query_id = new_query_id()
        if parameters.track:
            shown = [Shown(hit.trend.product_id, hit.position, 1.0) for hit in hits]
            queries.record(Answered(query_id, "", "trending", shown, {}), askers.asker(parameters))
        return json_response(
            {
                "query_id": query_id,
                "results": [_result(hit, parameters.explain, services.links) for hit in hits],
                "notes": notes,
                "took_ms": milliseconds(perf_counter() - start),
            }
        )

    return router


def _result(hit: TrendingHit, explain: bool, links: MediaLinks) -> dict[str, Any]:
    result = {"position": hit.position, "score": hit.trend.score, "product": shown_product(hit.document, links)}
    return result | ({"actions": hit.trend.actions} if explain else {})
