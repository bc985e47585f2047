"""What a client may keep, and how it asks whether that is still so."""

import hashlib

from fastapi import Request

NEVER_KEPT = {"Cache-Control": "no-store"}  # as fresh as the shop's events, and each search answer has an id of its own
ALWAYS_ASKED = {"Cache-Control": "no-cache"}  # kept, but asked for each time: its ETag tells whether it has changed


def strong_etag(content: bytes) -> str:
    """Of the bytes alone, so that all servers give the same one."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def has_it(request: Request, etag: str) -> bool:
    """Whether the client's If-None-Match names this ETag; compared weakly (RFC 9110, 13.1.2)."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or known == ["*"]
