"""What no HTTP client would send, byte by byte, to the server that runs in production."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import uvicorn

from serving.app import create_app
from serving.services import Services
from serving.settings import ServerSettings

Send = Callable[..., tuple[int, bytes]]
WAIT_SECONDS = 10.0
POST = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
SETTINGS = ServerSettings(max_body_bytes=2_000, body_timeout_seconds=0.3)


@pytest.fixture
def send(services: Services) -> Iterator[Send]:
    """Sends bytes and reads until the server hangs up; gives the status and all that came."""
    config = uvicorn.Config(create_app(SETTINGS, services), port=0, log_config=None, lifespan="off")
    with config.bind_socket() as listening:
        listening.listen()
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        address = listening.getsockname()

        def exchange(*parts: bytes) -> tuple[int, bytes]:
            received = b""
            with socket.create_connection(address, WAIT_SECONDS) as connection:
                with suppress(ConnectionError):  # it has seen enough
                    connection.sendall(b"".join(parts))
                with suppress(ConnectionError):
                    while part := connection.recv(65_536):
                        received += part
            return int(received.split()[1]), received

        yield exchange
        server.should_exit = True
        thread.join()


def test_a_body_that_stops_on_its_way(send: Send) -> None:
    status, answer = send(POST, b"Content-Length: 100\r\n\r\n", b'{"text": ')
    assert status == 408
    assert b"/problems/too-slow" in answer


def test_chunks_without_a_length_and_without_an_end(send: Send) -> None:
    status, answer = send(POST, b"Transfer-Encoding: chunked\r\n\r\n", *[b"1f4\r\n%s\r\n" % (b"a" * 500)] * 6)
    assert status == 413
    assert b"/problems/too-large" in answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        bytes(range(256)) * 10,
        b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n" % (b"a" * 200_000),
        b"GET / HTTP/1.1\r\nHost: a\r\n%s\r\n" % b"".join(b"X%d: a\r\n" % number for number in range(20_000)),
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        POST + b"Content-Length: -1\r\n\r\n",
    ],
    ids=["no HTTP", "a long header", "many headers", "two lengths", "a negative length"],
)
def test_what_is_no_request(send: Send, request_bytes: bytes) -> None:
    assert send(request_bytes)[0] == 400
    assert send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[0] == 200


def test_a_long_address(send: Send) -> None:
    status, _ = send(b"GET /v1/search?q=%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % (b"a" * 60_000))
    assert status == 422
