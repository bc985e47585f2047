"""The pictures of products whose links are `file:` links, so that a page can show them."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

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


def media_router(root: Path) -> APIRouter:
    """Serves bitmaps below `root`; what links out of it is not found."""
    router = APIRouter(tags=["media"])
    folder = root.resolve()

    @router.get("/media/{path:path}", response_class=FileResponse, responses=problem_responses(404))
    def picture(path: str) -> FileResponse:
        """A picture of a product: what follows `file:` in its link is the path."""
        file = _file(folder, path)
        if file is None:
            raise HTTPException(404, "there is no such picture")
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
        return FileResponse(file, media_type=_MEDIA_TYPES[file.suffix.lower()], headers=headers)

    return router


def _file(folder: Path, path: str) -> Path | None:
    if "\0" in path:
        return None
    try:
        file = (folder / path).resolve()
        found = file.is_relative_to(folder) and file.suffix.lower() in _MEDIA_TYPES and file.is_file()
    except OSError:  # a name that is too long, a loop of links, a folder that may not be read
        return None
    return file if found else None
