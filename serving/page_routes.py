"""The storefront at `/`: files of this package, so that it works without a network and without a build step."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from serving.answers import kept_response

_FOLDER = Path(__file__).parent / "page"
_START = "index.html"
_ASKS_FOR_KEY = b'<body class="start">', b'<body class="start" data-asks-for-key>'
_LEARNING = b'<a id="learning" hidden', b'<a id="learning"'
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


def page_router(learning_page: Path | None, *, asks_for_key: bool) -> APIRouter:
    """`/` and the files that it loads, read once. It has a link to the `learning_page` from when that is written.

    `asks_for_key`: a shopper cannot be erased without a key, and the page says so.
    """
    router = APIRouter(include_in_schema=False)
    files = {file.name: _File(file.read_bytes(), _MEDIA_TYPES[file.suffix]) for file in _FOLDER.iterdir()}
    start_page = (_FOLDER / _START).read_bytes()
    if asks_for_key:
        start_page = start_page.replace(*_ASKS_FOR_KEY)
    alone = _File(start_page, _MEDIA_TYPES[".html"])
    with_learning = _File(start_page.replace(*_LEARNING), _MEDIA_TYPES[".html"])

    @router.api_route("/", methods=["GET", "HEAD"])
    def start(request: Request) -> Response:
        is_written = learning_page is not None and learning_page.is_file()
        return (with_learning if is_written else alone).response(request)

    @router.api_route("/page/{name}", methods=["GET", "HEAD"])
    async def part(request: Request, name: str) -> Response:
        if name not in files or name == _START:
            raise HTTPException(404, "the page has no such file")
        return files[name].response(request)

    return router


class _File:
    def __init__(self, content: bytes, media_type: str) -> None:
        self._content = content
        self._media_type = media_type

    def response(self, request: Request) -> Response:
        answer = kept_response(request, self._content, self._media_type)
        answer.headers.update(_HEADERS)
        return answer
