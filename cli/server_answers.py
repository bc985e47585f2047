"""What a server of ours answers to the command line."""

from typing import Any

import httpx


class RequestRefused(Exception):
    """A server answered otherwise than was asked for; the message has what it says."""


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """Raises RequestRefused."""
    if not response.is_success:
        raise RequestRefused(f"{response.url} answered {response.status_code}: {response.text[:500]}")
    answer: dict[str, Any] = response.json()
    return answer
