"""What a server of ours answers to the command line."""

from typing import Any

import httpx

from cli.local_stack import StackError


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """Raises StackError with what the server says of a request that it turned away."""
    if not response.is_success:
        raise StackError(f"{response.url} answered {response.status_code}: {response.text[:500]}")
    answer: dict[str, Any] = response.json()
    return answer
