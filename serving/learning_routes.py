"""The page at `/learning`: what simulated shoppers say of what the shop has learnt, written by whoever sends them."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# The page is a file that is read without the shop, too: only here it has a way back, in both of the shop's languages.
_WITH_A_WAY_BACK = (
    b"<body>",
    '<body>\n<nav style="margin-bottom: 1rem"><a href="./">← Back to the shop</a> · <a lang="zh-Hans" href="./">返回商店</a></nav>'.encode(),
)


def learning_router(page: Path) -> APIRouter:
    """`page` is read at each request: it changes."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/learning", methods=["GET", "HEAD"])
    def learning() -> Response:
        if not page.is_file():
            raise HTTPException(404, "nothing is known yet of what the shop has learnt: run `millrace shoppers --page`")
        content = page.read_bytes().replace(*_WITH_A_WAY_BACK, 1)
        return Response(content, media_type="text/html; charset=utf-8", headers=_HEADERS)

    return router
