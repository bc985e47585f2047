"""Bodies that a route reads itself."""

from fastapi import Request

from serving.problems import Problem


async def json_request_body(request: Request) -> bytes:
    """Raises Problem for another content type than JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("unsupported-media-type", f"send application/json, not {media_type[:80] or 'nothing'}")
    return await request.body()
