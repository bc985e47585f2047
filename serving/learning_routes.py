"""The page at `/learning`: what simulated shoppers say of what the shop has learnt, written by whoever sends them."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def learning_router(page: Path) -> APIRouter:
    """`page` is read at each request: it changes."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/learning", methods=["GET", "HEAD"])
    def learning() -> Response:
        if not page.is_file():
            raise HTTPException(404, "nothing is known yet of what the shop has learnt: run `millrace shoppers --page`")
        return FileResponse(page, media_type="text/html; charset=utf-8", headers=_HEADERS)

    return router
