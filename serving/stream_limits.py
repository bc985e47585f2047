"""No client takes the places of all others that follow the server's events."""

from collections import Counter
from collections.abc import AsyncIterator, Callable

from fastapi import Request

from serving.client_address import client_address
from serving.problems import unavailable
from serving.settings import ServerSettings


def streams_of_one_client(settings: ServerSettings) -> Callable[[Request], AsyncIterator[None]]:
    """A dependency of routes that stream: it counts until the response has ended. Raises Problem."""
    open_streams: Counter[str] = Counter()

    async def count(request: Request) -> AsyncIterator[None]:
        client = client_address(request.scope, settings.rate_limits.trusted_proxies)
        if open_streams[client] >= settings.max_event_streams_per_client:
            raise unavailable("too-many-streams", "close a stream of yours, or search without news", 60)
        open_streams[client] += 1
        try:
            yield
        finally:
            open_streams[client] -= 1
            if not open_streams[client]:
                del open_streams[client]

    return count
