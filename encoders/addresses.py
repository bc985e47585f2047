"""Which network addresses pictures may come from, and connections to exactly the addresses that were checked."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

import httpcore

from encoders.images import ImageError, ImageFailure

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_RESOLVING_THREADS = 8


def is_public(address: str) -> bool:
    """True for an address anyone on the internet can reach; the IPv4 address inside an IPv6 one counts too."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        inner = _inner_ipv4(parsed)
        if inner is None:
            return parsed in _GLOBAL_UNICAST and parsed.is_global
        parsed = inner
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved)


def _inner_ipv4(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def resolve_host(host: str, port: int) -> list[str]:
    """The system's answer, also for literal addresses in all their spellings (decimal, hexadecimal, short)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves a host once, refuses it if any of its addresses is not public, and connects to those addresses only.

    So a name that answers differently the second time gains nothing. `allowed` hosts (`host`, `host:port`) are exempt.
    Every timeout given to it and to its streams is a deadline on the monotonic clock: a server that sends a byte now
    and then cannot stretch it. Raises ImageError with PRIVATE_ADDRESS or UNREACHABLE, otherwise httpcore's errors.
    """

    def __init__(self, allowed: Iterable[str], resolve: Resolve = resolve_host) -> None:
        self._allowed = frozenset(allowed)
        self._resolve = resolve
        self._resolvers = ThreadPoolExecutor(_RESOLVING_THREADS, "resolve-image-hosts")
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._checked_addresses(host, port, timeout)
        for position, address in enumerate(addresses):
            # A dead first address must leave time for the others.
            share = _remaining(timeout) / (len(addresses) - position)
            try:
                stream = self._sockets.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if position == len(addresses) - 1:
                    raise
            else:
                return _DeadlineStream(stream)
        raise ImageError(ImageFailure.UNREACHABLE, f"{host} has no address", transient=True)

    def close(self) -> None:
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    def _checked_addresses(self, host: str, port: int, deadline: float | None) -> Sequence[str]:
        # Nothing limits the time of a system's resolver, so it works in a thread that may be left behind.
        answer: Future[Sequence[str]] = self._resolvers.submit(self._resolve, host, port)
        try:
            addresses = answer.result(_remaining(deadline))
        except FutureTimeoutError:
            answer.cancel()
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise ImageError(ImageFailure.UNREACHABLE, f"{host} cannot be resolved: {error}", transient=True) from error
        if self._allowed.isdisjoint({_bracketed(host), f"{_bracketed(host)}:{port}"}):
            private = [address for address in addresses if not is_public(address)]
            if private:
                raise ImageError(
                    ImageFailure.PRIVATE_ADDRESS,
                    f"{host} is {', '.join(private)}, not a public address; if it is the shop's own image host, "
                    "name it in image_sources.allowed_private_hosts",
                )
        return addresses


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose timeouts are deadlines on the monotonic clock."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, _remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _remaining(deadline: float | None) -> float:
    """Seconds to the deadline, at least a millisecond: a timeout of 0 would mean a socket that never waits."""
    if deadline is None:
        raise ValueError("this backend takes a deadline for every operation")
    return max(deadline - time.monotonic(), 0.001)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
