"""Pages of other origins."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from index.memory import MemoryIndex
from serving.settings import CorsSettings, RateLimitSettings, ServerSettings

MakeClient = Callable[..., TestClient]
SHOP = "https://shop.example"
ORIGIN = {"Origin": SHOP}


def settings(*origins: str, credentials: bool = False) -> ServerSettings:
    return ServerSettings(
        cors=CorsSettings(allowed_origins=origins, allow_credentials=credentials),
        rate_limits=RateLimitSettings(by_address="2/day"),
    )


def exposed(answer: object) -> set[str]:
    return set(answer.headers["access-control-expose-headers"].lower().split(", "))  # type: ignore[attr-defined]


def test_by_default_no_page_of_another_origin_may_read_an_answer(client: TestClient) -> None:
    answer = client.get("/v1/search?q=dress", headers=ORIGIN)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_allowed_page_reads_answers_and_problems_with_their_headers(make_client: MakeClient) -> None:
    client = make_client(settings(SHOP))
    answers = [client.get("/v1/search?q=dress", headers=ORIGIN) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert exposed(answer) >= {"x-request-id", "retry-after", "ratelimit", "ratelimit-policy"}


def test_an_allowed_page_learns_of_a_failure_too(
    make_client: MakeClient, index: MemoryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "search", None)
    answer = make_client(settings(SHOP)).get("/v1/search?q=dress", headers=ORIGIN)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (500, SHOP)


def test_other_pages_do_not(make_client: MakeClient) -> None:
    answer = make_client(settings(SHOP)).get("/v1/search?q=dress", headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_browser_may_ask_first_and_is_not_counted(make_client: MakeClient) -> None:
    client = make_client(settings("*"))
    asked = ORIGIN | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key"}
    for _ in range(3):
        answer = client.options("/v1/products/a", headers=asked)
        assert answer.status_code == 200
        assert "PUT" in answer.headers["access-control-allow-methods"]
        assert "x-api-key" in answer.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in answer.headers


def test_cookies_are_for_named_origins_only(make_client: MakeClient) -> None:
    answer = make_client(settings(SHOP, credentials=True)).get("/healthz", headers=ORIGIN)
    assert answer.headers["access-control-allow-credentials"] == "true"
    with pytest.raises(ValidationError, match="by name"):
        settings("*", credentials=True)


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://", "https://a b", "null", ""])
def test_what_no_browser_sends_as_an_origin_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValidationError):
        CorsSettings(allowed_origins=(origin,))
