"""Whatever is asked: a clear problem, or an explained answer, and everyone else's searches go on."""

import base64
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from encoders.settings import ImageLimits
from serving.settings import ServerSettings

MakeClient = Callable[..., TestClient]
Ask = Callable[..., httpx.Response]
JSON = {"Content-Type": "application/json"}
GOOD = "/v1/search?q=linen+dress"
INJECTIONS = [
    "'; DROP TABLE products; --",
    '" or id != "',
    'x"] or true or brand in ["',
    "brand == 'Loom' && price > 0",
    "{{7*7}} ${7*7} <%= 7*7 %>",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "$(reboot) `reboot` | reboot",
    "*:* OR _exists_:id AND (((",
    '{"$ne": null}',
    "%s%n%x\\u0000\\x00",
    "\u202e\u0000\uffff\U0010ffff",
    "(" * 900,
    "a" * 1000,
]


@pytest.fixture
def ask(client: TestClient) -> Iterator[Ask]:
    """Sends a request while somebody else searches; that answer must be the usual one."""
    with client, ThreadPoolExecutor(1) as other:
        usual = [result["product"]["id"] for result in client.get(GOOD).json()["results"]]
        assert usual[0] == "dress"

        def send(method: str, url: str, **request: Any) -> httpx.Response:
            meanwhile = other.submit(client.get, GOOD)
            answer = client.request(method, url, **request)
            for good in (meanwhile.result(), client.get(GOOD)):
                assert [result["product"]["id"] for result in good.json()["results"]] == usual
            return answer  # type: ignore[return-value]

        yield send


def refused(answer: httpx.Response, *, by: str) -> str:
    """Asserts a problem of this name that says what is wrong; returns what it says."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert (problem["status"], problem["type"]) == (answer.status_code, f"/problems/{by}")
    assert 400 <= answer.status_code < 500
    assert problem["detail"]
    return str(problem["detail"])


@pytest.mark.parametrize("url", ["/v1/search", "/v1/search?q=", "/v1/search?q=%20%09%0A"])
def test_nothing_asked(ask: Ask, url: str) -> None:
    assert "needs text, a picture, or both" in refused(ask("GET", url), by="invalid-fields")
    assert "needs text, a picture, or both" in refused(ask("POST", "/v1/search", json={}), by="invalid-fields")


def test_ten_thousand_characters(ask: Ask) -> None:
    long = "red dress " * 1_000
    for answer in (
        ask("GET", "/v1/search", params={"q": long}),
        ask("POST", "/v1/search", json={"text": long}),
        ask("POST", "/v1/search", files={"text": (None, long)}),
    ):
        assert "at most 1000 characters" in refused(answer, by="invalid-fields")


def test_what_looks_like_code_is_text(ask: Ask) -> None:
    for text in INJECTIONS:
        for answer in (ask("GET", "/v1/search", params={"q": text}), ask("POST", "/v1/search", json={"text": text})):
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("field", ["brand", "attributes.colour", "id"])
def test_a_filter_value_that_looks_like_code_is_a_value_that_nothing_has(ask: Ask, field: str) -> None:
    for text in INJECTIONS:
        answer = ask("GET", "/v1/search", params={"q": "dress", "filter": f"{field}:{text}"})
        assert (answer.status_code, answer.json()["results"]) == (200, []), text


def test_an_attributes_name_that_looks_like_code_is_a_name_that_nothing_has(ask: Ask) -> None:
    for name in INJECTIONS:
        condition = {"field": f"attributes.{name}", "any_of": ["a"]}
        answer = ask("POST", "/v1/search", json={"text": "dress", "filters": [condition]})
        if answer.status_code == 200:
            assert answer.json()["results"] == [], name
        else:
            refused(answer, by="invalid-fields")


@pytest.mark.parametrize("query", ["q=%FF%FE%00%80", "q=%C3", "q=%ED%A0%80", "q=%00"])
def test_bytes_in_a_query_string(ask: Ask, query: str) -> None:
    assert ask("GET", f"/v1/search?{query}").status_code == 200


@pytest.mark.parametrize("body", [bytes(range(256)), b"\x00" * 1_000, b"\x89PNG\r\n\x1a\n", b"\xff\xfe{\x00}\x00"])
def test_bytes_in_a_body(ask: Ask, body: bytes) -> None:
    for method, url in (("POST", "/v1/search"), ("POST", "/v1/products"), ("PUT", "/v1/products/p1")):
        refused(ask(method, url, content=body, headers=JSON), by="invalid-json")


def test_bytes_as_a_form(ask: Ask) -> None:
    answer = ask("POST", "/v1/search", files={"text": (None, bytes(range(128, 256)))})
    assert answer.status_code in (200, 422)
    garbage = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = ask("POST", "/v1/search", content=bytes(range(256)), headers=garbage)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("field", ["colour", "secret", "__class__", "attributes", "attributes.", "vector", "price;"])
def test_a_filter_on_a_field_that_is_not_there(ask: Ask, field: str) -> None:
    assert refused(ask("GET", "/v1/search", params={"q": "a", "filter": f"{field}:x"}), by="invalid-fields")
    query = {"text": "a", "filters": [{"field": field, "any_of": ["x"]}]}
    assert refused(ask("POST", "/v1/search", json=query), by="invalid-fields")


def test_an_attribute_that_no_product_has_is_an_empty_answer_that_tells_its_total(ask: Ask) -> None:
    answer = ask("GET", "/v1/search?q=dress&filter=attributes.nobody:x").json()
    assert (answer["results"], answer["total"]) == ([], {"matches": 0, "exact": True})


@pytest.mark.parametrize("query", ["offset=1000000000", "limit=1000000000", "page=1000000000", "offset=999&limit=2"])
def test_page_ten_to_the_ninth(ask: Ask, query: str) -> None:
    refused(ask("GET", f"/v1/search?q=dress&{query}"), by="invalid-fields")


def test_the_last_page_there_is_is_empty_and_tells_the_total(ask: Ask) -> None:
    answer = ask("GET", "/v1/search?q=dress&offset=990&limit=10").json()
    assert answer["results"] == []
    assert answer["total"]["matches"] > 0


@pytest.mark.parametrize(
    "query",
    [
        "price_min=50&price_max=10",
        "brand=Loom&filter=brand:Lux",
        "q=dress+over+80&price_max=20",
        "filter=currency:EUR&filter=price:5&price_min=10",
    ],
)
def test_filters_that_contradict_each_other_are_explained(ask: Ask, query: str) -> None:
    answer = ask("GET", f"/v1/search?{query if 'q=' in query else f'q=dress&{query}'}")
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    (note,) = answer.json()["notes"]
    assert "at once" in note


def png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG with what its header promises, or without."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(pixels, 9), b"IEND")
    parts = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animation(frames: int) -> bytes:
    file = io.BytesIO()
    pictures = [Image.new("RGB", (16, 16), (number % 256, 0, 0)) for number in range(frames)]
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


PICTURES = {
    "no picture": (b"hello", "not_an_image"),
    "empty": (b"", "not_an_image"),
    "only a header": (png(32, 32)[:40], "broken"),
    "ten gigapixels": (png(100_000, 100_000), "too_many_pixels"),
    "more rows than pixels": (png(65_000, 65_000, b"\0" * 1_000_000), "too_many_pixels"),
    "a page": (b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>", "unsupported"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_is_broken_or_a_bomb(ask: Ask, name: str) -> None:
    data, reason = PICTURES[name]
    for answer in (
        ask("POST", "/v1/search", files={"image": ("query.png", data, "image/png")}),
        ask("POST", "/v1/search", json={"image_base64": base64.b64encode(data).decode()}),
    ):
        assert reason in refused(answer, by="unusable-picture")


def test_of_an_animation_the_first_frame_counts(ask: Ask) -> None:
    answer = ask("POST", "/v1/search", files={"image": ("query.gif", animation(200), "image/gif")})
    assert answer.status_code == 200


def test_a_picture_that_is_too_big(make_client: MakeClient) -> None:
    noise = Image.effect_noise((64, 64), 100)
    file = io.BytesIO()
    noise.save(file, "PNG")
    client = make_client(ServerSettings(max_body_bytes=10_000), image_limits=ImageLimits(max_bytes=1_000))
    assert refused(client.post("/v1/search", files={"image": ("a.png", file.getvalue())}), by="too-large")
    assert refused(client.post("/v1/search", files={"image": ("a.png", b"a" * 20_000)}), by="too-large")
    assert refused(client.post("/v1/search", json={"image_base64": "A" * 20_000}), by="too-large")
    assert client.get(GOOD).status_code == 200


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost:9092/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://user@127.0.0.1:22/",
    ],
)
def test_a_picture_at_a_private_address(ask: Ask, link: str) -> None:
    for answer in (
        ask("GET", "/v1/search", params={"image_url": link}),
        ask("POST", "/v1/search", json={"image_url": link}),
    ):
        assert "127" not in refused(answer, by="unusable-picture").partition(": ")[2]


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://a/b", "data:image/png;base64,AAAA", "gopher://a", "//a"])
def test_a_picture_at_an_address_that_is_not_the_webs(ask: Ask, link: str) -> None:
    refused(ask("GET", "/v1/search", params={"image_url": link}), by="invalid-fields")


def multipart(parts: int, header: bytes = b"") -> bytes:
    one = b'--x\r\nContent-Disposition: form-data; name="filter"\r\n' + header + b"\r\nbrand:a\r\n"
    return one * parts + b"--x--\r\n"


FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    "body",
    [
        multipart(501),
        multipart(100_000),
        multipart(1, b"X-Long: " + b"a" * 1_000_000 + b"\r\n"),
        multipart(1, b"X-Many: a\r\n" * 10_000),
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + b"a" * 2_000_000 + b"\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nnever ended',
    ],
    ids=["501 parts", "100,000 parts", "a long header", "many headers", "a long part", "no end"],
)
def test_a_form_that_is_a_bomb(ask: Ask, body: bytes) -> None:
    answer = ask("POST", "/v1/search", content=body, headers=FORM)
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_in_chunks_without_a_length_ends_at_the_limit(make_client: MakeClient) -> None:
    client = make_client(ServerSettings(max_body_bytes=2_000))
    for headers in (JSON, FORM):
        assert refused(client.post("/v1/search", content=iter([b"a" * 500] * 10), headers=headers), by="too-large")


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": "\u0000"}, {"X-Request-ID": "a\nb: c"}, {"If-None-Match": '"' * 5_000}]
)
def test_headers_that_are_odd(client: TestClient, headers: dict[str, str]) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    answer = client.get("/v1/products/dress", headers=encoded)
    assert answer.status_code == 200
    assert "b" not in answer.headers


@pytest.mark.parametrize("depth", [220, 300])
def test_an_event_nested_too_deep_for_whoever_reads_it(ask: Ask, depth: int) -> None:
    event = (
        b'{"action_name": "click", "timestamp": "2026-11-21T10:15:00Z", "more": ' + b"[" * depth + b"]" * depth + b"}"
    )
    for body in (event, b"[" + event + b"]"):
        assert "nested too deep" in refused(ask("POST", "/v1/events", content=body, headers=JSON), by="invalid-fields")
