"""Who asks: the address of a client, also behind proxies."""

from ipaddress import IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

_HEADER = "x-forwarded-for"
_HOME_PREFIX = 64  # the least that one home or one server gets, so the addresses below are one client's


def client_address(scope: Scope, trusted_proxies: int) -> str:
    """The address, of IPv6 the network of a single client.

    Each trusted proxy has added one entry to the end of X-Forwarded-For; what stands before them anybody may have
    written. Where there are fewer entries than proxies, or no address, it is that of the connection.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    hops = ",".join(Headers(scope=scope).getlist(_HEADER)).split(",")
    named = hops[-trusted_proxies].strip() if 0 < trusted_proxies <= len(hops) else peer
    return _client(named) or _client(peer) or peer


def _client(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), _HOME_PREFIX), strict=False))
    return str(address)
