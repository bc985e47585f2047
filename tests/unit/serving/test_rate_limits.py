"""How much one client may ask for."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from limits.errors import StorageError
from limits.storage import MemoryStorage
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.access import ApiKeys
from serving.client_address import client_address
from serving.rate_limits import RateLimit
from serving.services import Services
from serving.settings import RateLimitSettings, ServerSettings

MakeClient = Callable[..., TestClient]
KEYS = ServerSettings(api_key="first", more_api_keys=("second",))  # type: ignore[arg-type]


def limited(by_address: str = "", by_api_key: str = "", proxies: int = 0) -> ServerSettings:
    rate_limits = RateLimitSettings(by_address=by_address, by_api_key=by_api_key, trusted_proxies=proxies)
    return KEYS.model_copy(update={"rate_limits": rate_limits})


def statuses(client: TestClient, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [client.get("/v1/search?q=dress", headers=headers).status_code for _ in range(count)]


def counted(services: Services, kind: str, outcome: str) -> float:
    text = services.render_metrics()[0].decode()
    line = f'millrace_rate_limited_total{{kind="{kind}",outcome="{outcome}"}} '
    return sum(float(found.removeprefix(line)) for found in text.splitlines() if found.startswith(line))


def test_by_default_nothing_is_limited_and_no_header_says_so(client: TestClient) -> None:
    assert statuses(client, 20) == [200] * 20
    assert "ratelimit" not in client.get("/v1/search?q=dress").headers


def test_a_client_is_told_its_limits_and_then_refused_until_the_window_ends(
    make_client: MakeClient, services: Services
) -> None:
    client = make_client(limited("100/minute; 2/hour"))
    answers = [client.get("/v1/search?q=dress") for _ in range(3)]
    policy = '"100-per-60-s";q=100;w=60, "2-per-3600-s";q=2;w=3600'
    assert [answer.headers["ratelimit-policy"] for answer in answers] == [policy] * 3
    left = [answer.headers["ratelimit"].rpartition(";t=") for answer in answers]
    assert [state for state, _, _ in left] == [f'"2-per-3600-s";r={remaining}' for remaining in (1, 0, 0)]
    assert all(3590 < int(seconds) <= 3600 for _, _, seconds in left)
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert 3590 < int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert counted(services, "address", "refused") == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/", "/page/page.css"])
def test_probes_metrics_and_the_page_are_not_counted(make_client: MakeClient, path: str) -> None:
    client = make_client(limited("1/day"))
    assert statuses(client, 2) == [200, 429]
    assert [client.get(path).status_code for _ in range(3)] == [200] * 3


def test_each_key_has_its_own_count_and_an_invented_one_none(make_client: MakeClient) -> None:
    client = make_client(limited("1/day", "2/day"))
    assert statuses(client, 3, {"X-API-Key": "first"}) == [200, 200, 429]
    assert statuses(client, 3, {"X-API-Key": "second"}) == [200, 200, 429]
    assert statuses(client, 1, {"X-API-Key": "invented"}) == [200]
    assert statuses(client, 1, {"X-API-Key": "another"}) == [429]


def test_a_key_without_a_limit_is_free_of_its_address_limit(make_client: MakeClient) -> None:
    assert statuses(make_client(limited("1/day")), 3, {"X-API-Key": "first"}) == [200] * 3


def test_a_header_that_anybody_can_write_is_not_believed(make_client: MakeClient) -> None:
    client = make_client(limited("1/day"))
    found = [statuses(client, 1, {"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(2)]
    assert found == [[200], [429]]


def test_behind_a_proxy_shoppers_are_told_apart(make_client: MakeClient) -> None:
    client = make_client(limited("1/day", proxies=1))
    found = [statuses(client, 2, {"X-Forwarded-For": f"203.0.113.1, 198.51.100.{number}"}) for number in range(2)]
    assert found == [[200, 429]] * 2


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("192.0.2.1", [], 0, "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], 0, "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.1, 198.51.100.7"], 1, "198.51.100.7"),
        ("192.0.2.1", ["203.0.113.1", "198.51.100.7"], 1, "198.51.100.7"),
        ("192.0.2.1", ["203.0.113.1, 198.51.100.7, 10.0.0.1"], 2, "198.51.100.7"),
        ("192.0.2.1", ["198.51.100.7"], 2, "192.0.2.1"),
        ("192.0.2.1", [], 1, "192.0.2.1"),
        ("192.0.2.1", ["garbage"], 1, "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7, "], 1, "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", [], 0, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], 0, "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", [], 0, "198.51.100.7"),
        ("testclient", [], 0, "testclient"),
        (None, [], 0, ""),
    ],
)
def test_the_address_of_a_client(peer: str | None, forwarded: list[str], proxies: int, address: str) -> None:
    headers = [(b"x-forwarded-for", entry.encode()) for entry in forwarded]
    scope = {"type": "http", "client": peer and (peer, 1234), "headers": headers}
    assert client_address(scope, proxies) == address


def test_requests_pass_where_the_store_does_not_answer(
    make_client: MakeClient, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object, **__: object) -> int:
        raise StorageError(ConnectionError("redis-1:6379 is away"))

    monkeypatch.setattr(MemoryStorage, "incr", away)
    assert statuses(make_client(limited("1/day")), 3) == [200] * 3
    assert counted(services, "address", "unchecked") == 3
    assert caplog.text.count("do not answer") + caplog.text.count("does not answer") == 1


def test_a_store_that_does_not_answer_is_asked_again_after_some_seconds(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, now = [], [100.0]

    def away(*_: object, **__: object) -> int:
        asked.append(now[0])
        raise StorageError(ConnectionError("redis-1:6379 is away"))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("passed")(scope, receive, send)

    monkeypatch.setattr(MemoryStorage, "incr", away)
    settings = RateLimitSettings(by_address="1/day")
    client = TestClient(RateLimit(app, settings, ApiKeys(KEYS), services.metrics, lambda: now[0]))
    for second in (100.0, 100.5, 104.0, 106.0, 107.0):
        now[0] = second
        assert client.get("/v1/search").text == "passed"
    assert asked == [100.0, 106.0]
    assert counted(services, "address", "unchecked") == 5


@pytest.mark.parametrize("text", ["fast", "10", "10/fortnight", "-1/second"])
def test_limits_that_cannot_be_read_are_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValidationError):
        RateLimitSettings(by_address=text)


def test_a_store_that_is_not_known_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError):
        RateLimitSettings(by_address="1/second", store="carrier-pigeon://a")  # type: ignore[arg-type]


def test_every_route_of_the_api_is_limited(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            assert ("429" in operation["responses"]) == path.startswith("/v1/"), path
