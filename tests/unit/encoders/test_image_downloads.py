import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import ClassVar

import pytest

from encoders.addresses import Resolve, resolve_host
from encoders.image_sources import ImageSource
from encoders.images import ImageError, ImageFailure
from encoders.settings import ImageLimits, ImageSourceSettings

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 8
CERTIFICATE = Path(__file__).with_name("test_only_certificate.pem")
KEY = Path(__file__).with_name("test_only_key.pem")


class Shop(BaseHTTPRequestHandler):
    """A shop's image host with good and bad manners."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[tuple[str, int]]] = set()
    hosts: ClassVar[list[str]] = []
    ended: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        self.hosts.append(self.headers["Host"])
        path, _, argument = self.path.partition("?")
        match path:
            case "/picture.jpg":
                self.answer(200, PICTURE)
            case "/status":
                self.answer(int(argument), b"")
            case "/fails":
                self.answer(503 if len(self.hosts) <= int(argument) else 200, PICTURE)
            case "/to" | "/loop":
                self.answer(302, b"", Location=argument if path == "/to" else path)
            case "/gzip":
                self.answer(200, PICTURE, **{"Content-Encoding": "gzip"})
            case "/endless":
                self.stream(lambda: self.wfile.write(bytes(1_000)) > 0)
            case "/drip":
                self.stream(self.drip)
            case "/silent":
                self.ended.wait(30)
            case "/cut":
                self.answer(200, PICTURE, length=len(PICTURE) + 1)
                self.close_connection = True

    def answer(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, write: Callable[[], bool]) -> None:
        """A body without a length, for as long as the client listens."""
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        try:
            while write():
                pass
        except ConnectionError:
            pass

    def drip(self) -> bool:
        self.wfile.write(b"x")
        return not self.ended.wait(0.02)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    Shop.connections.clear()
    Shop.hosts.clear()
    Shop.ended.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    Shop.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def source(shop: str) -> Iterator[ImageSource]:
    with open_source(settings(shop)) as opened:
        yield opened


def settings(shop: str, **values: object) -> ImageSourceSettings:
    limits = ImageLimits(max_bytes=100_000)
    return ImageSourceSettings(limits=limits, allowed_private_hosts=(shop,), **{"timeout_seconds": 20} | values)


def open_source(
    chosen: ImageSourceSettings, resolve: Resolve = resolve_host, pauses: list[float] | None = None
) -> ImageSource:
    """A source that notes its pauses instead of making them."""
    return ImageSource(chosen, resolve, sleep=(pauses if pauses is not None else []).append)


def refusal(source: ImageSource, link: str) -> ImageError:
    with pytest.raises(ImageError) as refused:
        source.fetch(link)
    return refused.value


def test_a_picture_is_fetched(source: ImageSource, shop: str) -> None:
    assert source.fetch(f"http://{shop}/picture.jpg") == PICTURE
    assert Shop.hosts == [shop]


def test_redirects_are_followed(source: ImageSource, shop: str) -> None:
    assert source.fetch(f"HTTP://{shop}/to?/picture.jpg") == PICTURE
    assert source.fetch(f"http://{shop}/to?http://{shop}/to?/picture.jpg") == PICTURE


def test_a_failure_that_passes_is_tried_again_after_growing_pauses(shop: str) -> None:
    pauses: list[float] = []
    with open_source(settings(shop), pauses=pauses) as source:
        assert source.fetch(f"http://{shop}/fails?2") == PICTURE
    assert len(Shop.hosts) == 3
    assert 0 < pauses[0] < pauses[1] < 1


def test_a_name_that_was_not_resolved_once_is_asked_for_again(shop: str) -> None:
    answers = iter([OSError("Temporary failure in name resolution"), ["127.0.0.1"]])

    def hiccup(host: str, port: int) -> list[str]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    port = shop.partition(":")[2]
    with open_source(settings(f"shop.test:{port}"), resolve=hiccup) as source:
        assert source.fetch(f"http://shop.test:{port}/picture.jpg") == PICTURE


@pytest.mark.parametrize(
    ("path", "values", "requests"),
    [
        ("/fails?9", {}, 3),
        ("/fails?9", {"retries": 0}, 1),
        ("/fails?9", {"timeout_seconds": 0.15}, 1),  # the first pause alone is longer
        ("/silent", {"timeout_seconds": 0.3}, 1),
        ("/status?404", {}, 1),
    ],
)
def test_retries_are_few_within_the_time_limit_and_for_what_may_pass(
    shop: str, path: str, values: dict[str, object], requests: int
) -> None:
    with open_source(settings(shop, **values)) as source:
        refusal(source, f"http://{shop}{path}")
    assert len(Shop.hosts) == requests


def test_a_private_address_is_refused_unless_it_is_allowed(shop: str) -> None:
    with ImageSource(ImageSourceSettings()) as source:
        refused = refusal(source, f"http://{shop}/picture.jpg")
    assert refused.reason is ImageFailure.PRIVATE_ADDRESS
    assert "allowed_private_hosts" in str(refused)
    assert not refused.transient
    assert not Shop.connections


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "http://localhost/", "http://2130706433/",
        "http://0x7f000001/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "//10.0.0.1/", "http://0/",
    ],
)  # fmt: skip
def test_a_redirect_into_a_private_network_is_refused(source: ImageSource, shop: str, target: str) -> None:
    assert refusal(source, f"http://{shop}/to?{target}").reason is ImageFailure.PRIVATE_ADDRESS


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/a.jpg", "data:image/png;base64,AAAA", ""])
def test_a_redirect_leads_to_the_web_only(shop: str, target: str) -> None:
    with ImageSource(settings(shop, file_root="/")) as source:
        refused = refusal(source, f"http://{shop}/to?{target}")
    assert refused.reason in {ImageFailure.INVALID_LINK, ImageFailure.TOO_MANY_REDIRECTS, ImageFailure.HTTP_STATUS}


@pytest.mark.parametrize("target", ["https://xn--/", "http://xn--a", "http:////]::", "//[::1", "http://a:b/"])
def test_a_redirect_to_what_is_no_link_is_refused(source: ImageSource, shop: str, target: str) -> None:
    assert refusal(source, f"http://{shop}/to?{target}").reason is ImageFailure.INVALID_LINK


def test_redirects_have_a_limit(source: ImageSource, shop: str) -> None:
    assert refusal(source, f"http://{shop}/loop").reason is ImageFailure.TOO_MANY_REDIRECTS
    with ImageSource(settings(shop, max_redirects=0)) as strict:
        assert refusal(strict, f"http://{shop}/to?/picture.jpg").reason is ImageFailure.TOO_MANY_REDIRECTS


@pytest.mark.parametrize(("status", "transient"), [(404, False), (403, False), (204, False), (500, True), (429, True)])
def test_any_other_answer_is_refused(source: ImageSource, shop: str, status: int, transient: bool) -> None:
    refused = refusal(source, f"http://{shop}/status?{status}")
    assert refused.reason is ImageFailure.HTTP_STATUS
    assert f"answered {status}" in str(refused)
    assert refused.transient is transient


def test_a_body_without_end_is_cut_at_the_limit(source: ImageSource, shop: str) -> None:
    assert refusal(source, f"http://{shop}/endless").reason is ImageFailure.TOO_MANY_BYTES


def test_a_large_content_length_is_refused_unread(shop: str) -> None:
    small = settings(shop).model_copy(update={"limits": ImageLimits(max_bytes=len(PICTURE) - 1)})
    with ImageSource(small) as source:
        assert refusal(source, f"http://{shop}/picture.jpg").reason is ImageFailure.TOO_MANY_BYTES


def test_a_compressed_body_is_refused(source: ImageSource, shop: str) -> None:
    assert refusal(source, f"http://{shop}/gzip").reason is ImageFailure.UNSUPPORTED_FORMAT


def test_a_body_that_ends_early_is_truncated(source: ImageSource, shop: str) -> None:
    refused = refusal(source, f"http://{shop}/cut")
    assert refused.reason is ImageFailure.TRUNCATED
    assert refused.transient


@pytest.mark.parametrize("path", ["/silent", "/drip"])
def test_the_time_limit_is_for_the_whole_picture(shop: str, path: str) -> None:
    with ImageSource(settings(shop, timeout_seconds=0.3)) as source:
        refused = refusal(source, f"http://{shop}{path}")
    assert refused.reason is ImageFailure.TIMEOUT
    assert refused.transient


def test_a_slow_header_cannot_stretch_the_time_limit() -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip_headers() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not ended.wait(0.02):
                    try:
                        client.sendall(b"x")
                    except ConnectionError:
                        return

        thread = threading.Thread(target=drip_headers)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with ImageSource(settings(address, timeout_seconds=0.3)) as source:
            assert refusal(source, f"http://{address}/").reason is ImageFailure.TIMEOUT
        ended.set()
        thread.join()


def test_a_resolver_that_hangs_does_not_hang_the_fetch() -> None:
    ended = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        ended.wait(30)
        return ["127.0.0.1"]

    with ImageSource(settings("shop.test", timeout_seconds=0.1), resolve=hanging) as source:
        assert refusal(source, "http://shop.test/a.jpg").reason is ImageFailure.TIMEOUT
        ended.set()


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with open_source(settings(address)) as source:
        refused = refusal(source, f"http://{address}/a.jpg")
    assert refused.reason is ImageFailure.UNREACHABLE
    assert refused.transient


def test_connections_are_kept_and_shared_by_threads(source: ImageSource, shop: str) -> None:
    links = [f"http://{shop}/picture.jpg"] * 100
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(source.fetch, links)) == {PICTURE}
    assert len(Shop.connections) <= 8


def test_a_kept_connection_that_the_server_closed_is_opened_again() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_once_then_hang_up_on_the_next() -> None:
            client, _ = server.accept()
            with client:
                client.recv(10_000)
                client.sendall(answer)
                client.recv(10_000)
            second, _ = server.accept()
            with second:
                second.recv(10_000)
                second.sendall(answer)

        thread = threading.Thread(target=serve_once_then_hang_up_on_the_next)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with ImageSource(settings(address)) as source:
            assert [source.fetch(f"http://{address}/") for _ in range(2)] == [b"ok", b"ok"]
        thread.join()


def test_certificates_are_checked_for_the_name_not_the_address() -> None:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    port = server.server_port

    def fetch(host: str, ca_file: str) -> bytes:
        chosen = settings(f"{host}:{port}", ca_file=ca_file)
        with open_source(chosen, resolve=lambda host, port: ["127.0.0.1"]) as source:
            return source.fetch(f"https://{host}:{port}/picture.jpg")

    trusted = str(CERTIFICATE)
    assert fetch("shop.test", trusted) == PICTURE
    for host, ca_file in [("shop.test", ""), ("other.test", trusted)]:
        with pytest.raises(ImageError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(host, ca_file)
    server.shutdown()
    thread.join()
    server.server_close()
