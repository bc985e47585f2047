"""The storefront at `/`: files of this package, so that it works without a network and without a build step."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from serving.answers import kept_response

_FOLDER = Path(__file__).parent / "page"
_START = "index.html"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'self'; "
    "img-src 'self' http: https: data: blob:; "  # shops keep pictures where they like; blob: is the chosen picture
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a picture's host need not learn what was searched for
}


def page_router() -> APIRouter:
    """`/` and the files that it loads, read once."""
    router = APIRouter(include_in_schema=False)
    files = {file.name: _File(file) for file in _FOLDER.iterdir()}

    @router.api_route("/", methods=["GET", "HEAD"])
    async def start(request: Request) -> Response:
        return files[_START].response(request)

    @router.api_route("/page/{name}", methods=["GET", "HEAD"])
    async def part(request: Request, name: str) -> Response:
        if name not in files or name == _START:
            raise HTTPException(404, "the page has no such file")
        return files[name].response(request)

    return router


class _File:
    def __init__(self, file: Path) -> None:
        self._content = file.read_bytes()
        self._media_type = _MEDIA_TYPES[file.suffix]

    def response(self, request: Request) -> Response:
        answer = kept_response(request, self._content, self._media_type)
        answer.headers.update(_HEADERS)
        return answer
