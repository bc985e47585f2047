"""Candidates that another engine found, in the order for one shopper."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from ranking.rankers import Candidate, Situation
from ranking.reranking import RankedList, RankedProduct, Rules
from serving.answers import json_response
from serving.openapi import model_body, problem_responses
from serving.openapi_examples import RANK_QUERIES
from serving.problems import from_validation
from serving.query_log import Answered, QueryLog, Shown
from serving.rank_models import RankCandidate, RankQuery, RankResponse
from serving.request_bodies import json_request_body
from serving.search_answers import milliseconds, new_query_id
from serving.services import Services
from serving.shoppers import Askers

_KIND = "rank"


def rank_router(services: Services, askers: Askers, queries: QueryLog) -> APIRouter:
    router = APIRouter(tags=["recommendations"])

    @router.post(
        "/v1/rank",
        response_model=RankResponse,
        responses=problem_responses(400, 408, 413, 415, 422, 429, 503),
        openapi_extra=model_body(RankQuery, RANK_QUERIES),
    )
    async def rank(request: Request) -> Response:
        """Put products that another engine found in the order for this shopper, without what was bought or hidden.

        The answer is published as a query: events that name its `query_id` teach the ranker.
        """
        body = await json_request_body(request)
        try:
            query = RankQuery.model_validate_json(body)
        except ValidationError as error:
            raise from_validation(error) from None
        return await run_sync(answer, query)

    def answer(query: RankQuery) -> Response:
        start = perf_counter()
        query_id = new_query_id()
        asker = askers.asker(query)
        at = services.clock().timestamp()
        situation = Situation(at, asker.shopper, asker.session_id, query.text, _KIND, query.language, asker.context)
        candidates = _candidates(query.candidates)
        rules = Rules(places=query.limit or len(candidates))
        ranked = services.reranker.rerank(situation, candidates, rules, query_id, explain=query.explain)
        shown = ranked.products[: query.limit]
        if query.track:
            places = [Shown(one.candidate.product_id, one.position, one.propensity, one.candidate) for one in shown]
            releases = {"ranker": services.reranker.release}
            queries.record(Answered(query_id, query.text, _KIND, places, releases, query.language), asker)
        return json_response(
            {
                "query_id": query_id,
                "results": [_result(one, query.explain) for one in shown],
                "left_out": _left_out(candidates, ranked),
                "ranker": services.reranker.release,
                "notes": [ranked.note] if ranked.note else [],
                "took_ms": milliseconds(perf_counter() - start),
            }
        )

    return router


def _candidates(found: Sequence[RankCandidate]) -> list[Candidate]:
    """With scores from 0 to 1, as those of a search: engines count in units of their own."""
    scores = [one.score for one in found if one.score is not None]
    lowest, highest = min(scores, default=0.0), max(scores, default=0.0)
    lowest = min(lowest, 0.0) if highest > 0 else lowest
    span = highest - lowest or 1.0
    return [
        Candidate(one.product_id, position, None if one.score is None else (one.score - lowest) / span)
        for position, one in enumerate(found, start=1)
    ]


def _result(ranked: RankedProduct, explain: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "product_id": ranked.candidate.product_id,
        "position": ranked.position,
        "from_position": ranked.candidate.position,
        "score": ranked.score,
    }
    if explain:
        result["parts"] = ranked.parts
        if ranked.behind:
            result["behind"] = ranked.behind
    return result


def _left_out(candidates: list[Candidate], ranked: RankedList) -> list[dict[str, str]]:
    return [
        {"product_id": one.product_id, "reason": ranked.left_out[one.product_id]}
        for one in candidates
        if one.product_id in ranked.left_out
    ]
