"""The HTTP API, put together."""

from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from monitoring.metrics import Metrics
from serving.access import API_KEY_HEADER, ApiKeys
from serving.announcement_routes import announcement_router
from serving.event_routes import event_router
from serving.health_routes import health_router
from serving.heat_map_routes import heat_map_router
from serving.learning_routes import learning_router
from serving.lookup_routes import lookup_router
from serving.media_routes import media_router
from serving.middleware import BodyLimit, RequestObserver
from serving.openapi import add_schemas, openapi_router
from serving.page_routes import page_router
from serving.places import QueryThreads
from serving.problems import add_problem_handlers
from serving.product_routes import product_router
from serving.pseudonyms import Pseudonyms
from serving.query_log import QueryLog
from serving.rank_routes import rank_router
from serving.rate_limits import RateLimit
from serving.search_routes import search_router
from serving.services import Services
from serving.settings import ServerSettings
from serving.shoppers import Askers
from serving.similar_routes import similar_router
from serving.stream_limits import streams_of_one_client
from serving.trending_routes import trending_router
from serving.user_routes import user_router

_METHODS = ("GET", "POST", "PUT", "DELETE")
_DESCRIPTION = "Search that is as fresh as a shop's event stream. Errors are problem details (RFC 9457)."


def create_app(settings: ServerSettings, services: Services) -> FastAPI:
    """An ASGI application. What is in `services` is closed by whoever made it."""
    app = FastAPI(
        title="Millrace",
        version="1",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        redirect_slashes=False,
        openapi_url=None,  # openapi_router serves it, for clients to keep
    )
    keys = ApiKeys(settings)
    threads = QueryThreads(settings.max_image_url_queries)
    pseudonyms = Pseudonyms(settings.pseudonym_key.get_secret_value())
    askers = Askers(pseudonyms, services.clock, ZoneInfo(settings.time_zone))
    queries = QueryLog(services.publisher, services.metrics, services.clock, settings.max_waiting_queries)
    app.include_router(search_router(services, threads, askers, queries))
    app.include_router(similar_router(services, askers, queries))
    app.include_router(heat_map_router(services, settings, threads))
    app.include_router(announcement_router(services), dependencies=[Depends(streams_of_one_client(settings))])
    app.include_router(lookup_router(services))
    app.include_router(product_router(services, settings, keys))
    app.include_router(trending_router(services, askers, queries))
    app.include_router(rank_router(services, askers, queries))
    app.include_router(user_router(services, settings, keys, pseudonyms, askers, queries))
    app.include_router(event_router(services, settings, pseudonyms))
    app.include_router(health_router(services, settings))
    learning_page = Path(settings.learning_page) if settings.learning_page else None
    app.include_router(page_router(learning_page, asks_for_key=bool(keys)))
    if learning_page is not None:
        app.include_router(learning_router(learning_page))
    app.include_router(openapi_router(app))
    if services.links.root is not None:
        app.include_router(media_router(services.links.root))
    add_problem_handlers(app)
    add_schemas(app)
    _add_middleware(app, settings, keys, services.metrics)
    return app


def _add_middleware(app: FastAPI, settings: ServerSettings, keys: ApiKeys, metrics: Metrics) -> None:
    """The last one added is the first to see a request."""
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout_seconds=settings.body_timeout_seconds)
    if settings.rate_limits.by_address or settings.rate_limits.by_api_key:
        app.add_middleware(RateLimit, settings=settings.rate_limits, keys=keys, metrics=metrics)
    app.add_middleware(RequestObserver, metrics=metrics)
    if settings.cors.allowed_origins:  # outermost: a page may read what went wrong, too
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors.allowed_origins,
            allow_methods=_METHODS,
            allow_headers=(API_KEY_HEADER, "Content-Type", "If-None-Match", "X-Request-ID"),
            expose_headers=("ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"),
            allow_credentials=settings.cors.allow_credentials,
            max_age=settings.cors.max_age_seconds,
        )
