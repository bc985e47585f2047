"""The HTTP API, put together."""

from fastapi import FastAPI

from serving.announcement_routes import announcement_router
from serving.health_routes import health_router
from serving.media_routes import media_router
from serving.middleware import BodyLimit, RequestObserver
from serving.openapi import add_schemas
from serving.page_routes import page_router
from serving.problems import add_problem_handlers
from serving.product_routes import product_router
from serving.search_routes import search_router
from serving.services import Services
from serving.settings import ServerSettings
from serving.similar_routes import similar_router

_DESCRIPTION = "Search that is as fresh as a shop's event stream. Errors are problem details (RFC 9457)."


def create_app(settings: ServerSettings, services: Services) -> FastAPI:
    """An ASGI application. What is in `services` is closed by whoever made it."""
    app = FastAPI(
        title="Millrace",
        version="1",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        redirect_slashes=False,
        docs_url=None,  # the stock pages load their scripts from elsewhere; /openapi.json is here
        redoc_url=None,
    )
    app.include_router(search_router(services, settings))
    app.include_router(similar_router(services))
    app.include_router(announcement_router(services))
    app.include_router(product_router(services, settings))
    app.include_router(health_router(services, settings))
    app.include_router(page_router())
    if services.media_root is not None:
        app.include_router(media_router(services.media_root))
    add_problem_handlers(app)
    add_schemas(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(RequestObserver, metrics=services.metrics)
    return app
