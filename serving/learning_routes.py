"""The page at `/learning`: what simulated shoppers say of what the shop has learnt, written by whoever sends them."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, HTTPException, Response
from fastapi.responses import RedirectResponse

from serving.learning_pages import as_served, learning_pages

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def learning_router(page: Path) -> APIRouter:
    """The `page` and its translation link to each other by name. They are read at each request: they change."""
    router = APIRouter(include_in_schema=False)
    pages = learning_pages(page)
    files = {file.name: file for file in pages.values()}

    @router.api_route("/learning", methods=["GET", "HEAD"])
    def learning(language: str = "", accept_language: Annotated[str, Header()] = "") -> Response:
        asked = pages.get(language or ("zh-Hans" if accept_language.startswith("zh") else "en"), page)
        there = asked if asked.is_file() else page
        return RedirectResponse(f"learning/{quote(there.name)}", headers=_HEADERS)

    @router.api_route("/learning/{name}", methods=["GET", "HEAD"])
    def in_language(name: str) -> Response:
        if name not in files or not files[name].is_file():
            raise HTTPException(404, "nothing is known yet of what the shop has learnt: run `millrace shoppers --page`")
        content = as_served(files[name].read_bytes())
        return Response(content, media_type="text/html; charset=utf-8", headers=_HEADERS)

    return router
