"""The pictures of products whose links are `file:` links, so that a page can show them."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from serving.caching import has_it, strong_etag
from serving.openapi import problem_responses

# Only what browsers show as a bitmap: an SVG or a page could run scripts under this address.
_MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
}
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}


def media_router(root: Path) -> APIRouter:
    """Serves bitmaps below `root`; what links out of it is not found."""
    router = APIRouter(tags=["media"])
    folder = root.resolve()

    @router.get("/media/{path:path}", response_class=FileResponse, responses=problem_responses(404))
    def picture(request: Request, path: str) -> Response:
        """A picture of a product: what follows `file:` in its link is the path."""
        file = _file(folder, path)
        if file is None:
            raise HTTPException(404, "there is no such picture")
        headers = {**_HEADERS, "ETag": _etag(file)}
        if has_it(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return FileResponse(file, media_type=_MEDIA_TYPES[file.suffix.lower()], headers=headers)

    return router


def _etag(file: Path) -> str:
    about = file.stat()
    return _etag_of_version(file, about.st_mtime_ns, about.st_size, about.st_ino)


@lru_cache(maxsize=10_000)
def _etag_of_version(file: Path, _changed: int, _size: int, _inode: int) -> str:
    return strong_etag(file.read_bytes())


class MediaLinks:
    """Turns links of products into what a browser can open."""

    def __init__(self, root: Path | None) -> None:
        """`root` as in `media_router`; None where no pictures are served."""
        self.root = root
        # A link may name the folder as the settings do, or as it lies once symbolic links are followed.
        self._folders = [] if root is None else [PurePosixPath(root.absolute()), PurePosixPath(root.resolve())]

    def address(self, link: str) -> str | None:
        """`/media/...` for a `file:` link below the root, None for any other; every other scheme as it is.

        Looks at the link alone: whether the file is there, and no link out of the folder, the route finds out.
        """
        scheme, _, rest = link.partition(":")
        if scheme.lower() != "file":
            return link
        path = _below(self._folders, unquote(rest))
        if path is None or ".." in path.parts or path.suffix.lower() not in _MEDIA_TYPES:
            return None
        return f"/media/{quote(str(path))}"


def _below(folders: Sequence[PurePosixPath], path: str) -> PurePosixPath | None:
    """`path` is what follows `file:`: relative, `/absolute`, `///absolute` or `//localhost/absolute`."""
    if path.startswith("//"):
        host, _, path = path[2:].partition("/")
        if host not in ("", "localhost"):
            return None
        path = f"/{path}"
    if not folders or not path:
        return None
    file = PurePosixPath(path)
    if not file.is_absolute():
        return file
    return next((file.relative_to(folder) for folder in folders if file.is_relative_to(folder)), None)


def _file(folder: Path, path: str) -> Path | None:
    if "\0" in path:
        return None
    try:
        file = (folder / path).resolve()
        found = file.is_relative_to(folder) and file.suffix.lower() in _MEDIA_TYPES and file.is_file()
    except OSError:  # a name that is too long, a loop of links, a folder that may not be read
        return None
    return file if found else None
