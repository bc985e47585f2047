"""A server beside a worker and a click loop: what is indexed is told to clients, and its words are known, and what is
clicked trends; what a shopper does changes the shopper's next page, until the shopper is erased."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cli.local_stack import LocalStack
from cli.settings import changed_settings
from cli.wiring import open_publisher
from tests.services.shop import PATIENCE, Shop, quick_settings, wait_until
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import encode_product
from topics.events import Product
from topics.publisher import Message

pytestmark = pytest.mark.services

STOP_SECONDS = 5.0
BRANDS = ("Loom", "Lux", "Arden", "Moss", "Pine", "Sol")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Worker, server and click loop; a shopper's brand decides the order."""
    folder = tmp_path_factory.mktemp("stack")
    weights = {"score": 1.0, "brand_affinity": 20.0}
    changes = {"server": {"pseudonym_key": "k"}, "ranking": {"reranking": {"weights": weights}}}
    with LocalStack(folder, changed_settings(quick_settings(folder), changes), click_loop=True) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


def test_what_a_shopper_does_changes_the_next_page_until_the_shopper_is_erased(stack: LocalStack) -> None:
    with open_publisher(stack.settings, "test-shop") as publisher:
        publisher.publish_and_wait([message(product) for product in dresses()], 30)
    shop = ShopFront(stack.url)
    wait_until(lambda: len(shop.search("stranger")["results"]) == len(BRANDS) * 2)
    seen = shop.search("ada", track=True)
    before = brands(seen)
    shop.act("ada", seen, before[-1])
    wait_until(lambda: brands(shop.search("ada"))[0] == before[-1])
    assert brands(shop.search("stranger"))[0] == before[0], "what one shopper likes is no taste of others"
    recommended = shop.get("/v1/users/ada/recommendations", explain=True)
    assert any("taste" in result["sources"] for result in recommended["results"])
    erased = httpx.delete(f"{stack.url}/v1/users/ada").raise_for_status().json()
    assert erased["removed"]["shopper"] == 1
    wait_until(lambda: ids(shop.search("ada")) == ids(shop.search("stranger")))


def test_a_product_is_announced_its_words_are_known_and_streams_end_with_the_server(stack: LocalStack) -> None:
    wait_until(lambda: followed(stack.url))
    with (
        open_publisher(stack.settings, "shop") as publisher,
        httpx.stream("GET", f"{stack.url}/v1/indexed-products", timeout=PATIENCE) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        Shop(stack.settings, publisher).send("kettle", 1_000, title="Kettle of porcelain")
        event = next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
        assert (event["product_id"], event["outcome"]) == ("kettle", "indexed")
        assert event["title"] == "Kettle of porcelain"
        assert 0 <= event["seconds"] < PATIENCE

        wait_until(lambda: searched_for(stack.url, "porcelaan kettel") == "porcelain kettle")

        click = {
            "action_name": "click",
            "timestamp": datetime.now(UTC).isoformat(),
            "session_id": "a shopper",
            "event_attributes": {"object": {"object_id": "kettle"}},
        }
        assert httpx.post(f"{stack.url}/v1/events", json=click).status_code == 202
        wait_until(lambda: trending(stack.url) == ["kettle"])

        stack.server.ask_to_stop()
        stopped_at = time.monotonic()
        assert not [line for line in lines if line.startswith("data: ")]
        assert time.monotonic() - stopped_at < STOP_SECONDS


def followed(url: str) -> bool:
    return 'millrace_followed_topic_connected{topic="catalog.indexed"} 1.0' in httpx.get(f"{url}/metrics").text


def trending(url: str) -> list[str]:
    return [result["product"]["id"] for result in httpx.get(f"{url}/v1/trending").json()["results"]]


def searched_for(url: str, query: str) -> str:
    answer = httpx.get(f"{url}/v1/search", params={"q": query}).json()
    return str(answer["understood"]["text"])


class ShopFront:
    """The shop as a browser sees it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        return httpx.get(self._url + path, params=parameters).raise_for_status().json()  # type: ignore[no-any-return]

    def search(self, user_id: str, track: bool = False) -> dict[str, Any]:
        """A shopper who asks as often as a test looks would be taken for a bot."""
        return self.get("/v1/search", q="dress", limit=50, user_id=user_id, session_id=f"s-{user_id}", track=track)

    def act(self, user_id: str, answer: dict[str, Any], brand: str) -> None:
        """Watch every product of the brand, which does not trend for that."""
        events = [
            {
                "action_name": "watch",
                "timestamp": datetime.now(UTC).isoformat(),
                "query_id": answer["query_id"],
                "user_id": user_id,
                "session_id": f"s-{user_id}",
                "event_attributes": {
                    "object": {"object_id": result["product"]["id"]},
                    "position": {"ordinal": result["position"]},
                },
            }
            for result in answer["results"]
            if result["product"]["brand"] == brand
        ]
        httpx.post(f"{self._url}/v1/events", json=events).raise_for_status()


def dresses() -> list[Product]:
    return [
        Product(id=f"{brand}-{number}", title=f"{brand} dress {number}", brand=brand, updated_at=datetime.now(UTC))
        for brand in BRANDS
        for number in range(2)
    ]


def message(product: Product) -> Message:
    return Message(CATALOG_PRODUCTS, product.id.encode(), encode_product(product))


def brands(answer: dict[str, Any]) -> list[str]:
    """In the order in which they come."""
    return list(dict.fromkeys(result["product"]["brand"] for result in answer["results"]))


def ids(answer: dict[str, Any]) -> list[str]:
    return [result["product"]["id"] for result in answer["results"]]
