"""From a click to a next page that it changed, on embedded parts: the drawn shop, its server, worker and click loop.

One shopper after the other, each new to the shop, searches, clicks one product below the first three, and asks for the
page again and again until its order is another one. The clock runs from before the click is sent until that page is
there. As many further shoppers do the same without a click, and watch for a second: what changes by itself must not
be taken for what a click did.

The catalogue is searched as milvus-lite has it some seconds after a load: it flushes by itself then, and searches what
it has just taken in four times slower (180 ms for 640 products here).
"""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recording import record
from cli.freshness import IndexingFollower
from cli.local_settings import embedded_settings
from cli.local_stack import LocalStack, make_room
from cli.settings import changed_settings, load_settings
from cli.wiring import open_publisher
from demo.drawn_shop.products import drawn_products, write_pictures
from demo.drawn_shop.ranking import FEATURES, WEIGHTS
from demo.shoppers.behavior import ShownList, as_event
from demo.shoppers.browsing import Action, Deed
from demo.shoppers.shop_client import SearchResults, ShopClient
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import encode_product

LIMIT = "from a click to a next page that it changed: p99 at most 500 ms, and no page that changes without a click"
SHOPPERS = 200
_PRODUCTS = 640
_SEED = 20
_RESULTS = 24
_LEFT_ALONE = 3
_QUERIES = ("dress", "shoes", "red", "striped", "bag", "hat", "blue shirt", "雨伞", "红色", "dotted")
_START_SECONDS = 180.0
_LOAD_SECONDS = 300.0
_SETTLE_SECONDS = 0.5
_FLUSHED_SECONDS = 10.0
_CONTROL_SECONDS = 1.0
_MOST_SECONDS = 10.0
_WORK = Path(".bench/click-to-page")


def run() -> None:
    make_room(_WORK)
    settings = embedded_settings(load_settings(), _WORK)
    features = [feature.model_dump() for feature in (*settings.ranking.reranking.features, *FEATURES)]
    changes = {
        "server": {"port": 0},
        "ranking": {"reranking": {"features": features, "weights": WEIGHTS}},
    }
    with LocalStack(_WORK, changed_settings(settings, changes), click_loop=True) as stack:
        stack.wait_until_ready(_START_SECONDS)
        _open_the_shop(stack)
        with ShopClient(stack.url) as shop:
            _visit(shop, 0, click=True)  # the first answers load what later ones have
            seconds = [_visit(shop, number, click=True) for number in range(1, SHOPPERS + 1)]
            alone = [_visit(shop, number, click=False) for number in range(SHOPPERS + 1, 2 * SHOPPERS + 1)]
            asked = _answer_seconds(shop)
    record("click_to_page", LIMIT, _result(seconds, alone, asked))


def _open_the_shop(stack: LocalStack) -> None:
    products = list(drawn_products(_PRODUCTS, _SEED, _WORK / "pictures", datetime.now(UTC)))
    for _ in write_pictures(products):
        pass
    deadline = time.monotonic() + _LOAD_SECONDS
    with (
        open_publisher(stack.settings, "benchmark") as publisher,
        IndexingFollower(stack.settings.kafka) as follower,
    ):
        for product in products:
            publisher.publish(CATALOG_PRODUCTS, product.event.id.encode(), encode_product(product.event))
        while follower.events < len(products):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{follower.events} of {len(products)} products were indexed: see {_WORK}")
            time.sleep(0.1)
    time.sleep(_FLUSHED_SECONDS)


def _visit(shop: ShopClient, number: int, click: bool) -> float | None:
    """Seconds until the page changed; None where it did not."""
    rng = random.Random(number)
    user_id, session_id = f"shopper-{number}", f"session-{number}"
    query = rng.choice(_QUERIES)
    seen = shop.search(query, _RESULTS, user_id, session_id)
    shown = ShownList(seen.query_id, user_id, session_id, datetime.now(UTC), _ids(seen))
    time.sleep(_SETTLE_SECONDS)
    before = _look(shop, query, user_id, session_id)
    began = time.monotonic()
    if click:
        place = rng.randint(_LEFT_ALONE + 1, len(shown.product_ids))
        shop.send([as_event(Deed(Action.CLICK, place, _SETTLE_SECONDS), shown)])
    while time.monotonic() - began < (_MOST_SECONDS if click else _CONTROL_SECONDS):
        if _look(shop, query, user_id, session_id) != before:
            return time.monotonic() - began
    return None


def _look(shop: ShopClient, query: str, user_id: str, session_id: str) -> Sequence[str]:
    return _ids(shop.search(query, _RESULTS, user_id, session_id, track=False))


def _ids(found: SearchResults) -> list[str]:
    return [product.product_id for product in found.products]


def _answer_seconds(shop: ShopClient) -> list[float]:
    spent = []
    for number in range(SHOPPERS):
        began = time.monotonic()
        _look(shop, _QUERIES[number % len(_QUERIES)], f"shopper-{number}", f"session-{number}")
        spent.append(time.monotonic() - began)
    return spent


def _result(seconds: Sequence[float | None], alone: Sequence[float | None], asked: Sequence[float]) -> dict[str, Any]:
    changed = [each for each in seconds if each is not None]
    return {
        "products": _PRODUCTS,
        "clicks": len(seconds),
        "clicks_that_changed_no_page": len(seconds) - len(changed),
        "pages_that_changed_without_a_click": sum(each is not None for each in alone),
        "click_to_page_ms": _milliseconds(changed),
        "one_page_ms": _milliseconds(asked),
    }


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    p50, p99, most = np.percentile(seconds, [50, 99, 100]) * 1000
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "max": round(float(most), 1)}
