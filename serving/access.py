"""Who may write."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader

from serving.problems import Problem
from serving.settings import ServerSettings

API_KEY_HEADER = "X-API-Key"
_HEADER = APIKeyHeader(name=API_KEY_HEADER, auto_error=False, description="asked for where the server has a key set")


class ApiKeys:
    """The keys that this server takes; there may be none."""

    def __init__(self, settings: ServerSettings) -> None:
        texts = (key.get_secret_value() for key in (settings.api_key, *settings.more_api_keys))
        self._keys = [text.encode() for text in texts if text]

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __contains__(self, given: str) -> bool:
        """Takes the same time whichever key it is, or none."""
        return any([secrets.compare_digest(given.encode(), key) for key in self._keys])


def require_api_key(keys: ApiKeys) -> Callable[[str | None], None]:
    """A dependency that raises a 401 problem unless the request carries a key; without keys everyone may come in."""

    def check(given: Annotated[str | None, Security(_HEADER)]) -> None:
        if keys and (given or "") not in keys:
            raise Problem(
                "unauthorized", f"send a key in the header {API_KEY_HEADER}", headers={"WWW-Authenticate": "ApiKey"}
            )

    return check
