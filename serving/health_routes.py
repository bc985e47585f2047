"""Whether this process lives, whether it can serve, and its metrics."""

from typing import Annotated

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from index.base import VectorIndexError
from serving.answers import json_response
from serving.caching import NEVER_KEPT
from serving.openapi import answer_example, problem_responses
from serving.problem_pages import problem_page
from serving.problems import PROBLEMS, unavailable
from serving.services import Services
from serving.settings import ServerSettings
from topics.publisher import PublisherError

_THREADS = 4
_READY = problem_responses(503, example="not-ready")
_METRICS = answer_example('millrace_searches_total{kind="text",outcome="answered"} 1.0\n', media_type="text/plain")
_PROBLEM = answer_example(problem_page("invalid-fields"), media_type="text/plain") | problem_responses(404)


class Alive(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str = Field(examples=["alive"])


class Ready(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str = Field(examples=["ready"])
    products: int = Field(description="how many can be found")


def health_router(services: Services, settings: ServerSettings) -> APIRouter:
    router = APIRouter(tags=["operations"])
    # Threads of their own: what an operator asks is answered also where searches have taken all others.
    probing, scraping = CapacityLimiter(_THREADS), CapacityLimiter(_THREADS)

    @router.get("/healthz", response_model=Alive)
    async def alive() -> Response:
        """Answers as long as the process does: a supervisor restarts it otherwise."""
        return json_response({"status": "alive"})

    @router.get("/readyz", response_model=Ready, responses=_READY)
    async def ready() -> Response:
        """Whether the index and the broker answer: a load balancer waits until then."""
        products = await run_sync(_probe, services, settings.ready_timeout_seconds, limiter=probing)
        return json_response({"status": "ready", "products": products})

    @router.get("/metrics", response_class=Response, responses=_METRICS)
    async def metrics() -> Response:
        """Every metric of this process in Prometheus' text format."""
        text, content_type = await run_sync(services.render_metrics, limiter=scraping)
        return Response(text, headers={**NEVER_KEPT, "Content-Type": content_type})

    @router.get("/problems/{name}", responses=_PROBLEM, response_class=Response)
    async def problem(name: Annotated[str, Path(examples=["invalid-fields"])]) -> Response:
        """What a `type` of problem details stands for, and what to do about it."""
        if name not in PROBLEMS:
            raise HTTPException(404, f"there is no problem {name[:80]!r}")
        return Response(problem_page(name), media_type="text/plain")

    return router


def _probe(services: Services, timeout_seconds: float) -> int:
    """How many products can be found. Raises Problem with every part that does not answer."""
    reasons = []
    products = 0
    try:
        products = services.index.count()
    except VectorIndexError as error:
        reasons.append(f"index: {error}")
    try:
        services.publisher.ping(timeout_seconds)
    except PublisherError as error:
        reasons.append(f"broker: {error}")
    if reasons:
        raise unavailable("not-ready", "; ".join(reasons))
    return products
