"""Drawn shops for simulated shoppers: one behind real HTTP, ordered as a test says, and one that learns by clicks."""

import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from demo.drawn_shop.captions import CHINESE_KINDS, ENGLISH_KINDS
from demo.drawn_shop.looks import KINDS
from demo.drawn_shop.products import drawn_products
from demo.shoppers.personas import new_persona
from demo.shoppers.shop_client import SearchResults
from demo.shoppers.tastes import SeenProduct
from index.documents import document

OPENING = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS = [one.event for one in drawn_products(640, 1, Path("pictures"), OPENING)]
DOCUMENTS = [
    {name: value for name, value in document(product).items() if name in ("id", "brand", "price", "attributes")}
    for product in PRODUCTS
]
KINDS_OF_WORDS = {
    word: kind for names in (ENGLISH_KINDS, CHINESE_KINDS) for kind, words in names.items() for word in words
}

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


class LearningShop:
    """In this process. What each shopper clicked before says by colour and pattern what the shopper is shown first."""

    def __init__(self) -> None:
        self._products = {product.product_id: product for product in map(SeenProduct.of, DOCUMENTS)}
        self._clicked: dict[str, Counter[str]] = defaultdict(Counter)
        self._answers = 0

    def search(self, text: str, limit: int, user_id: str, session_id: str) -> SearchResults:
        clicked = self._clicked[user_id]
        found = self.search_as_nobody(text, 100)
        liked = sorted(found.products, key=lambda product: -2 * clicked[product.colour] - clicked[product.pattern])
        return SearchResults(found.query_id, liked[:limit])

    def search_as_nobody(self, text: str, limit: int) -> SearchResults:
        self._answers += 1
        kinds = [KINDS_OF_WORDS[text]] if text in KINDS_OF_WORDS else KINDS
        found = [product for product in self._products.values() if product.kind in kinds]
        return SearchResults(f"q-{self._answers}", random.Random(text).sample(found, len(found))[:limit])

    def send(self, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            if event["action_name"] == "click":
                product = self._products[event["event_attributes"]["object"]["object_id"]]
                self._clicked[event["user_id"]].update((product.colour, product.pattern))
