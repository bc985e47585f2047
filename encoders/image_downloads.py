"""The bytes of a picture from the web, within limits and never from a private network."""

import re
import ssl
import time

import httpcore
import httpx

from encoders.addresses import GuardedBackend, Resolve
from encoders.base import EncoderError
from encoders.images import ImageError, ImageFailure
from encoders.settings import ImageSourceSettings

_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)
_ACCEPT = "image/jpeg, image/png, image/webp, image/gif, image/avif, image/bmp, */*;q=0.1"
_KEEPALIVE_SECONDS = 30
_LAST_PORT = 65_535
_PASSWORD = re.compile(r"//[^/]*@")


class ImageDownloads:
    """Downloads over kept connections. Safe to call from many threads; close it at the end."""

    def __init__(self, settings: ImageSourceSettings, resolve: Resolve) -> None:
        self._settings = settings
        self._backend = GuardedBackend(settings.allowed_private_hosts, resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(settings.ca_file),
            max_connections=settings.max_connections,
            max_keepalive_connections=settings.max_connections,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=self._backend,
        )

    def close(self) -> None:
        self._pool.close()
        self._backend.close()

    def download(self, link: str, deadline: float) -> bytes:
        """The bytes behind an http or https link after its redirects, by a time on the monotonic clock.

        Raises ImageError.
        """
        url = parse_link(link)
        for _ in range(self._settings.max_redirects + 1):
            answer = self._get(url, deadline)
            if isinstance(answer, bytes):
                return answer
            url = answer
        raise ImageError(ImageFailure.TOO_MANY_REDIRECTS, f"{_shown(link)}: more than {self._settings.max_redirects}")

    def _get(self, url: httpx.URL, deadline: float) -> bytes | httpx.URL:
        """The body, or where it moved to."""
        try:
            response = self._open(url, deadline)
        except httpcore.TimeoutException as error:
            raise _timeout(url) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise ImageError(ImageFailure.UNREACHABLE, f"{_shown(url)}: {error}", transient=True) from error
        try:
            if response.status in _REDIRECTS:
                return parse_link(_header(response, b"location"), base=url)
            self._check_headers(response, url)
            return self._read(response, url)
        except httpcore.TimeoutException as error:
            raise _timeout(url) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise ImageError(ImageFailure.TRUNCATED, f"{_shown(url)}: {error}", transient=True) from error
        finally:
            response.close()

    def _open(self, url: httpx.URL, deadline: float) -> httpcore.Response:
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers={
                "Host": url.netloc,
                "User-Agent": self._settings.user_agent,
                "Accept": _ACCEPT,
                # A few compressed bytes may stand for gigabytes, and pictures gain nothing by it.
                "Accept-Encoding": "identity",
            },
            extensions={
                "timeout": {
                    "pool": max(deadline - time.monotonic(), 0.001),
                    **dict.fromkeys(("connect", "read", "write"), deadline),  # the backend takes deadlines
                }
            },
        )
        try:
            return self._pool.handle_request(request)
        except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError):
            # A server may close a kept connection in the very moment that it is used again.
            return self._pool.handle_request(request)

    def _check_headers(self, response: httpcore.Response, url: httpx.URL) -> None:
        if response.status != httpx.codes.OK:
            raise ImageError(
                ImageFailure.HTTP_STATUS,
                f"{_shown(url)} answered {response.status}",
                transient=response.status in _TRANSIENT_STATUS,
            )
        encoding = _header(response, b"content-encoding").lower()
        if encoding not in ("", "identity"):
            raise ImageError(ImageFailure.UNSUPPORTED_FORMAT, f"{_shown(url)} is compressed ({encoding[:40]}) unasked")
        length = _header(response, b"content-length")
        if length.isascii() and length.isdigit() and int(length) > self._settings.limits.max_bytes:
            raise self._too_large(url)

    def _read(self, response: httpcore.Response, url: httpx.URL) -> bytes:
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > self._settings.limits.max_bytes:
                raise self._too_large(url)
        return bytes(body)

    def _too_large(self, url: httpx.URL) -> ImageError:
        limit = self._settings.limits.max_bytes
        return ImageError(ImageFailure.TOO_MANY_BYTES, f"{_shown(url)} has more than {limit} bytes")


def _trust(ca_file: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise EncoderError(f"image_sources.ca_file {ca_file} is no readable PEM file: {error}") from error
    return context


def parse_link(link: str, base: httpx.URL | None = None) -> httpx.URL:
    """A link, or where `base` is given a redirect from there. Raises ImageError."""
    try:
        url = httpx.URL(link) if base is None else base.join(link)
        host, port = url.host, url.port  # the host is decoded only here
    except (httpx.InvalidURL, ValueError) as error:
        raise ImageError(ImageFailure.INVALID_LINK, f"{_shown(link)}: {error}") from error
    if url.scheme not in ("http", "https") or not host:
        raise ImageError(ImageFailure.INVALID_LINK, f"{_shown(url)} is no complete http or https link")
    if port is not None and not 0 < port <= _LAST_PORT:
        raise ImageError(ImageFailure.INVALID_LINK, f"{_shown(url)}: there is no port {port}")
    if url.userinfo:
        raise ImageError(ImageFailure.INVALID_LINK, f"{host}: a link to a picture must not carry a password")
    return url


def _header(response: httpcore.Response, name: bytes) -> str:
    """The header's first value, empty where it is missing."""
    values = (value for key, value in response.headers if key.lower() == name)
    return next(values, b"").decode("utf-8", "replace").strip()


def _timeout(url: httpx.URL) -> ImageError:
    return ImageError(ImageFailure.TIMEOUT, f"{_shown(url)} did not answer in time", transient=True)


def _shown(link: httpx.URL | str) -> str:
    """For messages: short, and without a password."""
    return _PASSWORD.sub("//", str(link))[:200]
