"""Bodies that a route reads itself."""

from typing import Any

import orjson
from fastapi import Request

from serving.problems import Problem, invalid_field


def media_type(request: Request) -> str:
    """The content type without its parameters; empty where there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported(wanted: str, found: str) -> Problem:
    return Problem("unsupported-media-type", f"send {wanted}, not {found[:80] or 'nothing'}")


async def json_request_body(request: Request) -> bytes:
    """Raises Problem for another content type than JSON."""
    if (found := media_type(request)) != "application/json":
        raise unsupported("application/json", found)
    return await request.body()


def parsed_json(body: bytes) -> Any:
    """Raises Problem."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid-json", str(error)) from None


def one_or_many(body: bytes, most: int, what: str) -> Any:
    """The JSON in a body: a list of 1 to `most`, or whatever else stands for one. Raises Problem."""
    sent = parsed_json(body)
    if isinstance(sent, list) and not 1 <= len(sent) <= most:
        raise invalid_field(f"send 1 to {most} {what} at once", pointer="#")
    return sent
