"""Simulated shoppers in a shop over real HTTP that orders by taste, or does not."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from demo.drawn_shop.products import drawn_products
from demo.shoppers.learning_curve import LearningCurve
from demo.shoppers.personas import new_persona
from demo.shoppers.shop_client import ShopClient, ShopUnavailable
from demo.shoppers.simulation import Simulation, SimulationOptions
from demo.shoppers.tastes import SeenProduct
from index.documents import document
from learning.relevance import RelevanceOptions
from topics.behavior import BehaviorEvent

OPENING = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENTS = [document(one.event) for one in drawn_products(640, 1, Path("pictures"), OPENING)]
SHOPPERS = 8
OPTIONS = SimulationOptions(shoppers=SHOPPERS, sessions=3)
JUDGING = RelevanceOptions(resamples=300)

Order = Callable[[list[dict[str, Any]], dict[str, Any]], list[dict[str, Any]]]


class Clock:
    def __init__(self) -> None:
        self.now = OPENING

    def __call__(self) -> datetime:
        return self.now


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

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = shop.answer(self.path, body)
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


def simulate(url: str, options: SimulationOptions = OPTIONS) -> Simulation:
    clock = Clock()
    with ShopClient(url) as client:
        simulation = Simulation(client, options, clock)
        while (due := simulation.next_due) is not None:
            clock.now = max(clock.now, due)
            simulation.act()
    return simulation


def test_an_order_by_taste_shows_as_a_difference_and_an_untouched_one_as_none() -> None:
    differences = []
    for order in (by_taste, as_found):
        with open_shop(order) as (_, url):
            pairs = simulate(url).pairs
        curve = LearningCurve(SHOPPERS, JUDGING)
        rounds = curve.update(pairs)
        overall = curve.overall(pairs)
        assert [one.session for one in rounds] == [1, 2, 3]
        assert all(one.comparison.shoppers <= SHOPPERS for one in rounds)
        assert curve.update(pairs) == []
        assert overall is not None
        differences.append(overall.difference)

    assert differences[0].low > 0.1
    assert (differences[1].low, differences[1].high) == (0, 0)


def test_shoppers_act_under_their_names_and_the_comparison_under_none() -> None:
    with open_shop(as_found) as (shop, url):
        simulation = simulate(url)

    own = [query for query in shop.queries if query.get("user_id")]
    control = [query for query in shop.queries if not query.get("user_id")]
    assert len(own) == simulation.searches == SHOPPERS * 3 * 2
    assert len(control) == len(simulation.pairs) == SHOPPERS * 3
    assert all(query["track"] is False and "session_id" not in query for query in control)
    assert Counter(query["session_id"] for query in own).most_common()[-1][1] == 2
    assert len({query["session_id"] for query in own}) == SHOPPERS * 3


def test_all_that_happens_is_sent_once_in_batches_and_not_before_it_happens() -> None:
    with open_shop(as_found) as (shop, url):
        simulation = simulate(url)

    events = [BehaviorEvent.model_validate(event) for event in shop.events]
    assert len(events) == simulation.events
    assert simulation.clicks == sum(event.action_name == "click" for event in events) > 0
    assert len({event["event_id"] for event in shop.events}) == len(events)
    assert shop.posts < len(events) / 2
    queries = {f"q-{number}": query for number, query in enumerate(shop.queries, start=1)}
    for event in shop.events:
        assert queries[event["query_id"]]["user_id"] == event["user_id"]
        assert queries[event["query_id"]]["session_id"] == event["session_id"]


def test_equal_seeds_give_equal_shoppers_and_other_seeds_others() -> None:
    runs = []
    for seed in (1, 1, 2):
        with open_shop(as_found) as (shop, url):
            simulate(url, SimulationOptions(shoppers=3, sessions=1, seed=seed))
            runs.append((shop.queries, shop.events))

    assert runs[0] == runs[1] != runs[2]


def test_what_fails_is_done_again_and_nothing_is_lost() -> None:
    options = SimulationOptions(shoppers=3, sessions=2)
    with open_shop(as_found) as (shop, url):
        shop.failing = 10
        simulation = simulate(url, options)

    assert simulation.failed_requests == 10
    assert simulation.searches == 12
    assert len(shop.events) == simulation.events


def test_a_shop_that_stays_out_of_order_ends_the_visits_with_what_it_answered() -> None:
    with open_shop(as_found) as (shop, url):
        shop.failing = 1000
        with pytest.raises(ShopUnavailable, match="503.*out of order"):
            simulate(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not an address"])
def test_a_shop_that_is_not_there_is_told_with_its_address(url: str) -> None:
    with pytest.raises(ShopUnavailable, match=url):
        simulate(url)


def test_a_shop_that_answers_something_else_is_told() -> None:
    with open_shop(lambda found, _: [{"no": "id"} for _ in found]) as (_, url):
        with pytest.raises(ShopUnavailable, match="not as Millrace does"):
            simulate(url)


def test_shoppers_come_at_the_pace_that_was_asked_for() -> None:
    with open_shop(as_found) as (_, url), ShopClient(url) as client:
        clock = Clock()
        simulation = Simulation(client, SimulationOptions(shoppers=20, sessions_per_second=2), clock)
        while clock.now < OPENING + timedelta(seconds=15):
            simulation.act()
            clock.now = simulation.next_due or clock.now

    assert 15 * 2 * 2 * 0.9 <= simulation.searches <= 15 * 2 * 2 + 1
