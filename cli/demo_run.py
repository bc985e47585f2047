"""One run of the demo: a shop opens, is searched, changes and is visited, and what came of it is counted."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cli.demo_searches import answers
from cli.freshness import IndexingFollower, Percentiles
from cli.local_stack import LocalStack
from cli.output import Output
from cli.settings import Settings
from cli.shopper_visits import ShopperVisits
from cli.wiring import open_publisher
from demo.drawn_shop.changes import Gone, WorkingDay
from demo.drawn_shop.products import DrawnProduct, drawn_products, write_picture, write_pictures
from demo.shoppers.simulation import SimulationOptions
from deploy.kafka.broker import LocalKafka
from topics.catalogue import CATALOG_PRODUCTS
from topics.codec import deletion_headers, encode_product
from topics.events import Product, version_of
from topics.publisher import Publisher

LEARNING_PAGE = "learning.html"
_START_SECONDS = 180.0
_LOAD_SECONDS = 600.0
_SETTLE_SECONDS = 15.0
_LEAST_LIVE_SECONDS = 10.0
_CHANGES_PER_SECOND = 10.0
_TELL_EVERY_SECONDS = 10.0
_SHOP_SEED = 1
_SESSIONS_PER_SECOND = 0.5
_BUSY_WITH_SHOPPERS = 0.2  # Milvus Lite answers one request after the other: changes would wait for their searches
_BROKERS = {"embedded": "an embedded broker (in memory, for demos only)", "kafka": "Apache Kafka"}


class DemoBroker(StrEnum):
    EMBEDDED = "embedded"
    KAFKA = "kafka"


@dataclass(slots=True)
class DemoReport:
    """What the demo measured: the JSON object of `--json`."""

    products: int = 0
    indexed: int = 0
    products_per_second: float = 0.0
    freshness_seconds: dict[str, float] = field(default_factory=dict)
    live_changes: int = 0
    first_answer_seconds: float = 0.0
    searches: list[dict[str, Any]] = field(default_factory=list)
    shoppers: dict[str, Any] | None = None
    url: str = ""
    failures: list[str] = field(default_factory=list)


class Demo:
    """One run of the demo; the report fills as it goes, so that an early end still tells what is known."""

    def __init__(
        self, output: Output, report: DemoReport, settings: Settings, folder: Path, broker: DemoBroker
    ) -> None:
        self._broker = broker
        self._output = output
        self._report = report
        self._settings = settings
        self._folder = folder
        self._pictures = folder / "pictures"
        self._started = time.monotonic()
        self._shoppers_told: Callable[[], str] = str

    def run(self, count: int, shoppers: int, seconds: float | None) -> None:
        """Until `seconds` after the start, or until Ctrl-C when that is None."""
        say = self._output.note
        say(f"Starting {_BROKERS[self._broker]}, Milvus Lite, a worker and a server.")
        with ExitStack() as closing:
            kafka = None
            if self._broker is DemoBroker.KAFKA:
                with self._output.waiting("fetching Kafka where it is not there yet, and starting it"):
                    kafka = closing.enter_context(LocalKafka(self._folder / "kafka")).settings()
            stack = closing.enter_context(LocalStack(self._folder, self._settings, kafka=kafka, click_loop=True))
            shop = self._draw(count)
            with self._output.waiting("loading the models"):
                stack.wait_until_ready(_START_SECONDS)
            publisher = closing.enter_context(open_publisher(stack.settings, "millrace-demo"))
            follower = closing.enter_context(IndexingFollower(stack.settings.kafka))
            self._open_the_shop(shop, publisher, follower)
            self._search(stack.url)
            self._report.url = stack.url
            say(f"\nOpen {stack.url} in a browser, or ask from another terminal:")
            say(f"  millrace search 'red dress' --explain --config {stack.config}")
            with self._visits(shoppers, stack.url):
                self._live(shop, publisher, follower, seconds)
            self._judge(follower, stack)

    def _draw(self, count: int) -> list[DrawnProduct]:
        shop = list(drawn_products(count, _SHOP_SEED, self._pictures, datetime.now(UTC)))
        with self._output.progress("drawing pictures", count) as advance:
            for number, _ in enumerate(write_pictures(shop), start=1):
                advance(number, "")
        return shop

    def _open_the_shop(self, shop: Sequence[DrawnProduct], publisher: Publisher, follower: IndexingFollower) -> None:
        began = time.monotonic()
        for product in shop:
            _send(publisher, product.event)
        self._report.products = len(shop)
        with self._output.progress("indexing", len(shop)) as advance:
            self._wait_for(follower, len(shop), _LOAD_SECONDS, advance)
        took = time.monotonic() - began
        self._report.indexed = follower.outcomes.get("indexed", 0)
        self._report.products_per_second = round(self._report.indexed / took, 1)
        self._output.note(
            f"{self._report.indexed} of {len(shop)} products, words and pictures, became searchable in {took:.1f} s: "
            f"{self._report.products_per_second:.0f} products a second."
        )

    def _search(self, url: str) -> None:
        for answer in answers(url):
            if not self._report.first_answer_seconds:
                self._report.first_answer_seconds = round(time.monotonic() - self._started, 1)
            self._report.searches.append(answer.facts())
            if not answer.ok:
                asked = f"the {answer.search.kind} search for {answer.search.query!r}"
                self._report.failures.append(f"{asked} did not find it: {answer.titles}")
            for line in answer.told():
                self._output.note(line)

    @contextmanager
    def _visits(self, shoppers: int, url: str) -> Iterator[None]:
        """Shoppers come and go meanwhile."""
        if not shoppers:
            yield
            return
        options = SimulationOptions(
            shoppers=shoppers, sessions_per_second=_SESSIONS_PER_SECOND, busy_share=_BUSY_WITH_SHOPPERS
        )
        visits = ShopperVisits(url, options, self._folder / LEARNING_PAGE)
        self._shoppers_told = visits.told
        self._output.note(
            f"\n{shoppers} shoppers with hidden tastes come. What the shop learns of them: {url}/learning"
        )
        try:
            with visits:
                yield
        finally:
            self._report.shoppers = visits.facts()
            if visits.failure:
                self._report.failures.append(f"the shoppers went away: {visits.failure}")

    def _live(
        self, shop: Sequence[DrawnProduct], publisher: Publisher, follower: IndexingFollower, seconds: float | None
    ) -> None:
        self._output.note("Prices, stock and products now change about ten times a second. Ctrl-C ends everything.\n")
        arrivals = drawn_products(100_000, _SHOP_SEED + 1, self._pictures, datetime.now(UTC))
        day = WorkingDay([product.event for product in shop], arrivals, _SHOP_SEED)
        opened_with, measured = follower.events, follower.measured
        try:
            for tick in _ticks(self._live_end(seconds), 1 / _CHANGES_PER_SECOND):
                _publish_change(publisher, day, datetime.now(UTC))
                self._report.live_changes += 1
                if tick % int(_TELL_EVERY_SECONDS * _CHANGES_PER_SECOND) == 0:
                    self._tell(follower.freshness(measured))
                    self._tell_of_shoppers()
        finally:
            publisher.flush(_SETTLE_SECONDS)
            self._wait_for(follower, opened_with + self._report.live_changes, _SETTLE_SECONDS, lambda *_: None)
            freshness = follower.freshness(measured)
            self._report.freshness_seconds = {"p50": freshness.p50, "p99": freshness.p99}
            self._tell(freshness)
            self._tell_of_shoppers()

    def _live_end(self, seconds: float | None) -> float:
        if seconds is None:
            return float("inf")
        return max(self._started + seconds, time.monotonic() + _LEAST_LIVE_SECONDS)

    def _judge(self, follower: IndexingFollower, stack: LocalStack) -> None:
        report = self._report
        expected = report.products + report.live_changes
        if follower.events != expected:
            report.failures.append(f"{expected} events were sent, {follower.events} came out of the index")
        if follower.dead_letters:
            report.failures.append(f"dead letters: {follower.dead_letters}")
        if follower.problems:
            report.failures.append(f"problems: {follower.problems}")
        if stack.restarts:
            report.failures.append(f"processes were restarted {stack.restarts} times: see the logs in {self._folder}")

    def _tell(self, freshness: Percentiles) -> None:
        if freshness.events:
            self._output.note(
                f"{freshness.events:6d} live changes; from event to searchable: "
                f"p50 {freshness.p50 * 1000:.0f} ms, p99 {freshness.p99 * 1000:.0f} ms"
            )

    def _tell_of_shoppers(self) -> None:
        if told := self._shoppers_told():
            self._output.note(told)

    def _wait_for(self, follower: IndexingFollower, events: int, seconds: float, advance: Any) -> None:
        deadline = time.monotonic() + seconds
        while follower.events < events and time.monotonic() < deadline:
            advance(follower.events, f"{follower.events} products")
            time.sleep(0.05)


def _send(publisher: Publisher, product: Product) -> None:
    publisher.publish(CATALOG_PRODUCTS, product.id.encode(), encode_product(product))


def _publish_change(publisher: Publisher, day: WorkingDay, now: datetime) -> None:
    change = day.next(now)
    if isinstance(change, Gone):
        publisher.publish(CATALOG_PRODUCTS, change.id.encode(), None, deletion_headers(version_of(now)))
    elif isinstance(change, DrawnProduct):
        write_picture(change)
        _send(publisher, change.event)
    else:
        _send(publisher, change)


def _ticks(end: float, seconds: float) -> Iterator[int]:
    """Numbers from 1 on, one each `seconds`, until `end` (monotonic)."""
    tick = 0
    due = time.monotonic()
    while due < end:
        tick += 1
        yield tick
        due += seconds
        time.sleep(max(0.0, due - time.monotonic()))
