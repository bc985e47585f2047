"""JSON answers."""

from typing import Any

import orjson
from fastapi import Response


def json_response(content: dict[str, Any], status: int = 200) -> Response:
    """Serialises what is JSON already: an answer of many products needs no second validation."""
    return Response(orjson.dumps(content), status, media_type="application/json")
