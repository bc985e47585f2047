"""What one shopper is recommended, and how a shopper is forgotten."""

import logging
from time import perf_counter
from typing import Annotated, Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Response

from feedback.erasure import erase_shopper
from feedback.store import StoreUnavailable
from ranking.contradictions import contradictions
from ranking.recommendations import KIND, Recommendation, Recommendations
from serving.access import ApiKeys, require_api_key
from serving.answers import json_response
from serving.filters import with_stock
from serving.media_routes import MediaLinks
from serving.openapi import problem_responses
from serving.pseudonyms import Pseudonyms
from serving.publishing import WaitingPublisher
from serving.query_log import Answered, QueryLog, Shown
from serving.search_answers import milliseconds, new_query_id, reranking_content, shown_product
from serving.services import Services
from serving.settings import ServerSettings
from serving.shoppers import Askers
from serving.user_models import Erased, RecommendationParameters, RecommendationsResponse, UserPath
from topics.catalogue import SHOPPERS_ERASED
from topics.feedback import ShopperErased
from topics.publisher import Message

logger = logging.getLogger(__name__)

_FOLLOWS = ["profile", "open lists", "example log"]


def user_router(
    services: Services,
    settings: ServerSettings,
    keys: ApiKeys,
    pseudonyms: Pseudonyms,
    askers: Askers,
    queries: QueryLog,
) -> APIRouter:
    router = APIRouter()
    waiting = CapacityLimiter(settings.publish_threads)
    recommend = _Recommending(services, askers, queries)
    erase = _Erasing(services, settings, pseudonyms)

    @router.get(
        "/v1/users/{user_id}/recommendations",
        tags=["recommendations"],
        response_model=RecommendationsResponse,
        responses=problem_responses(422, 429, 503),
    )
    async def recommendations(user_id: UserPath, parameters: Annotated[RecommendationParameters, Query()]) -> Response:
        """Products for one shopper: like those turned to, turned to with those, trending, or new."""
        return await run_sync(recommend.answer, user_id, parameters)

    @router.delete(
        "/v1/users/{user_id}",
        tags=["events"],
        status_code=202,
        response_model=Erased,
        responses=problem_responses(401, 422, 429, 503, example="broker-unavailable"),
        dependencies=[Depends(require_api_key(keys))],
    )
    async def erase_user(user_id: UserPath) -> Response:
        """Forget a shopper: the profile at once, all else when the click loop hears of it.

        A person with a `user_id` and `client_id`s is forgotten under each of them by a request of its own. Counts of
        products stay, since they name nobody; events on the topics go with the topics' retention.
        """
        return await run_sync(erase.answer, user_id, limiter=waiting)

    return router


class _Recommending:
    def __init__(self, services: Services, askers: Askers, queries: QueryLog) -> None:
        self._services = services
        self._askers = askers
        self._queries = queries

    def answer(self, user_id: str, parameters: RecommendationParameters) -> Response:
        start = perf_counter()
        query_id = new_query_id()
        asker = self._askers.user(user_id, parameters)
        filters = with_stock(parameters, parameters.available)
        if notes := contradictions(filters):
            found = Recommendations([], notes)
        else:
            visit = asker.visit(query_id, self._services.clock(), explain=parameters.explain, is_shown=parameters.track)
            found = self._services.recommender.find(visit, parameters.limit, filters)
        is_withheld = parameters.personal and not found.is_personal
        if is_withheld:
            found = Recommendations([], found.notes)
        if parameters.track and not is_withheld:
            shown = [
                Shown(one.ranked.candidate.product_id, one.position, one.ranked.propensity, one.ranked.candidate)
                for one in found.products
            ]
            releases = {"ranker": self._services.reranker.release}
            self._queries.record(Answered(query_id, "", KIND, shown, releases), asker)
        return json_response(
            {
                "query_id": query_id,
                "results": [_result(one, parameters.explain, self._services.links) for one in found.products],
                "notes": list(found.notes),
                "took_ms": milliseconds(perf_counter() - start),
            }
        )


class _Erasing:
    def __init__(self, services: Services, settings: ServerSettings, pseudonyms: Pseudonyms) -> None:
        self._publisher = WaitingPublisher(services.publisher, services.metrics, settings.publish_timeout_seconds)
        self._services = services
        self._pseudonyms = pseudonyms

    def answer(self, user_id: str) -> Response:
        now = self._services.clock().timestamp()
        erased = ShopperErased(shopper=self._pseudonyms.of(user_id), at=now)
        message = Message(SHOPPERS_ERASED, erased.shopper.encode(), erased.model_dump_json().encode())
        self._publisher.publish(SHOPPERS_ERASED, [message])
        try:
            report = erase_shopper(self._services.profiles, erased, self._services.profile_settings, now)
        except StoreUnavailable as error:
            logger.warning("A profile is left to the click loop to erase: %s", error)
            return json_response({"removed": None, "found_afterwards": None, "follows": _FOLLOWS}, 202)
        content = {"removed": dict(report.removed), "found_afterwards": dict(report.found_afterwards)}
        return json_response({**content, "follows": _FOLLOWS[1:]}, 202)


def _result(one: Recommendation, explain: bool, links: MediaLinks) -> dict[str, Any]:
    result = {"position": one.position, "score": one.ranked.score, "product": shown_product(one.document, links)}
    if explain:
        result |= {"sources": one.sources, "reranking": reranking_content(one.ranked)}
        if one.ranked.behind:
            result["behind"] = one.ranked.behind
    return result
