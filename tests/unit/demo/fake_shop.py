"""A drawn shop behind real HTTP, of which a test decides in which order it shows what it found."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from demo.drawn_shop.products import drawn_products
from demo.shoppers.personas import new_persona
from demo.shoppers.tastes import SeenProduct
from index.documents import document

OPENING = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENTS = [document(one.event) for one in drawn_products(640, 1, Path("pictures"), OPENING)]

Order = Callable[[list[dict[str, Any]], dict[str, Any]], list[dict[str, Any]]]


class FakeShop:
    """Finds what the first word of each query's kind means; `order` decides what comes first."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self.queries: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.posts = 0
        self.failing = 0

    def answer(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if self.failing:
            self.failing -= 1
            return 503, {"title": "out of order"}
        if path == "/v1/events":
            self.posts += 1
            self.events += body
            return 202, {"accepted": len(body)}
        self.queries.append(body)
        found = random.Random(body["text"]).sample(DOCUMENTS, 100)
        results = [{"product": product} for product in self._order(found, body)[: body["limit"]]]
        return 200, {"query_id": f"q-{len(self.queries)}", "results": results}


@contextmanager
def open_shop(order: Order) -> Iterator[tuple[FakeShop, str]]:
    shop = FakeShop(order)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a client would wait 40 ms for the second half of each answer

        def do_GET(self) -> None:
            self._say(200, {"status": "ok"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(*shop.answer(self.path, body))

        def _say(self, status: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: the test tells."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield shop, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def as_found(found: list[dict[str, Any]], _query: dict[str, Any]) -> list[dict[str, Any]]:
    return found


def by_taste(found: list[dict[str, Any]], query: dict[str, Any]) -> list[dict[str, Any]]:
    """A shop that reads minds: who asks under a name gets what that shopper likes first."""
    if not query.get("user_id"):
        return found
    persona = new_persona(1, int(query["user_id"].rpartition("-")[2]))
    return sorted(found, key=lambda product: -persona.taste.utility(SeenProduct.of(product)))
