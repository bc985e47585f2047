"""JSON answers."""

from typing import Any

import orjson
from fastapi import Request, Response

from serving.caching import ALWAYS_ASKED, NEVER_KEPT, has_it, strong_etag


def json_response(content: dict[str, Any], status: int = 200) -> Response:
    """Serialises what is JSON already: an answer of many products needs no second validation."""
    return Response(orjson.dumps(content), status, NEVER_KEPT, "application/json")


def kept_response(request: Request, body: bytes, media_type: str) -> Response:
    """An answer to keep: 304 where the client has it already."""
    headers = {**ALWAYS_ASKED, "ETag": strong_etag(body)}
    if has_it(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
