"""A running shop as shoppers reach it: its HTTP API, over one connection that stays open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from demo.shoppers.tastes import SeenProduct

_TIMEOUT_SECONDS = 30.0


class ShopUnavailable(Exception):
    """The shop did not answer as it should; the message says how, and what to look at."""


@dataclass(frozen=True, slots=True)
class SearchResults:
    """Products in the order of their places."""

    query_id: str
    products: Sequence[SeenProduct]


class ShopClient:
    """Use as a context manager. Every method raises ShopUnavailable, entering too where nobody answers."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def __enter__(self) -> Self:
        if not _is_base_url(self._url):
            raise ShopUnavailable(
                "the shop's address is no http or https URL: it has to look like http://127.0.0.1:8080; a / ? # @ "
                "that belongs to a user name, a password or a path is written %2F %3F %23 %40"
            )
        try:
            self._http = httpx.Client(base_url=self._url, timeout=_TIMEOUT_SECONDS)
        except httpx.InvalidURL:
            raise ShopUnavailable(
                "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY holds no URL: put it right, or unset it"
            ) from None
        try:
            self._request("GET", "/healthz")
        except ShopUnavailable:
            self._http.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    @property
    def address(self) -> str:
        """For whoever reads of the shop: without a user and password that its URL may hold."""
        return str(httpx.URL(f"{self._url}/").copy_with(userinfo=b""))

    def search(self, text: str, limit: int, user_id: str, session_id: str, track: bool = True) -> SearchResults:
        """What this shopper is shown; without `track` the shop is told not to count it as shown."""
        return self._search(
            {"text": text, "limit": limit, "user_id": user_id, "session_id": session_id, "track": track}
        )

    def search_as_nobody(self, text: str, limit: int) -> SearchResults:
        """What somebody without a name would be shown. Nobody is: the shop is told not to count it as shown."""
        return self._search({"text": text, "limit": limit, "track": False})

    def send(self, events: Sequence[Mapping[str, Any]]) -> None:
        """UBI events; sent again they count once."""
        self._request("POST", "/v1/events", list(events))

    def _search(self, query: Mapping[str, Any]) -> SearchResults:
        answer = self._request("POST", "/v1/search", query)
        try:
            products = [SeenProduct.of(result["product"]) for result in answer["results"]]
            return SearchResults(str(answer["query_id"]), products)
        except (KeyError, TypeError) as error:
            raise ShopUnavailable(f"{self.address} answers, but not as Millrace does: {error!r}") from None

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        try:
            response = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ShopUnavailable(f"{self.address} does not answer: {type(error).__name__}: {error}") from None
        if not response.is_success:
            raise ShopUnavailable(f"{self.address}{path[1:]} answered {response.status_code}: {response.text[:300]}")
        try:
            return response.json()
        except ValueError:
            raise ShopUnavailable(f"{self.address}{path[1:]} answered with something that is no JSON") from None


def _is_base_url(text: str) -> bool:
    """Without what a part of a password would be taken for: a path with @, a query, a fragment. The host is encoded as
    whoever looks it up does.
    """
    try:
        url = httpx.URL(text)
        url.host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):
        return False
    has_stray_password = bool(url.query or url.fragment) or (b"@" in url.raw_path and not url.userinfo)
    return url.scheme in ("http", "https") and bool(url.host) and not has_stray_password
