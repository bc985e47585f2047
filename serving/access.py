"""Who may write."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader
from pydantic import SecretStr

from serving.problems import Problem

_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="asked for where the server has a key set")


def require_api_key(api_key: SecretStr) -> Callable[[str | None], None]:
    """A dependency that raises a 401 problem unless the request carries the key; an empty key lets everyone in."""
    wanted = api_key.get_secret_value().encode()

    def check(given: Annotated[str | None, Security(_HEADER)]) -> None:
        if wanted and not secrets.compare_digest((given or "").encode(), wanted):
            raise Problem(
                "unauthorized", "send the key in the header X-API-Key", headers={"WWW-Authenticate": "ApiKey"}
            )

    return check
