"""Runs the HTTP API until the process is told to stop."""

import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from serving.access import ApiKeys
from serving.settings import ServerSettings

logger = logging.getLogger(__name__)

_KEEP_ALIVE_SECONDS = 75  # longer than the idle time of usual load balancers, so that they close first
_GRACE_SECONDS = 15
_NOT_STARTED = 3


class _Server(uvicorn.Server):
    """Ends what would never end by itself before it waits for the requests under way."""

    def __init__(self, config: uvicorn.Config, on_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_shutdown()
        await super().shutdown(sockets)


def run_server(app: FastAPI, settings: ServerSettings, on_shutdown: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, finish the requests under way, and return. Call it from the main thread."""
    warn_of_missing_keys(settings)
    # uvicorn raises the signal again when it is done; this way it returns, and the caller can close what it opened.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # settings.rate_limits.trusted_proxies says whom to believe
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, on_shutdown)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_NOT_STARTED)


def warn_of_missing_keys(settings: ServerSettings) -> None:
    """In the log, where the server listens beyond the loopback."""
    if _is_loopback(settings.host):
        return
    if not ApiKeys(settings):
        logger.warning("Whoever reaches %s may write products: set an API key", settings.host)
    if not settings.pseudonym_key.get_secret_value():
        logger.warning("Shoppers get other pseudonyms at each start and on each server: set server.pseudonym_key")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
