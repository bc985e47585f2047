"""Simulated shoppers in a running shop, on a thread of their own, and what is told of them."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cli.learning_page import write_learning_pages
from demo.shoppers.comparison import CUTOFF, compare
from demo.shoppers.learning_curve import LearningCurve, Round
from demo.shoppers.shop_client import ShopClient, ShopUnavailable
from demo.shoppers.simulation import Simulation, SimulationOptions
from learning.relevance import Interval, RelevanceOptions

MEASURE = f"NDCG@{CUTOFF}"


class ShopperVisits:
    """They begin on entering, and end on leaving or after `options.sessions`. `page` is kept up to date.

    Everything may be read at any time. `failure` says why they ended too early; empty: they did not.
    """

    def __init__(
        self,
        url: str,
        options: SimulationOptions,
        page: Path | None = None,
        on_round: Callable[[Round], None] = lambda _: None,
    ) -> None:
        self._client = ShopClient(url)
        self._options = options
        self._page = page
        self._on_round = on_round
        self._judging = RelevanceOptions(seed=options.seed)
        self._curve = LearningCurve(options.shoppers, self._judging)
        self._simulation = Simulation(self._client, options, _now)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._visit, name="simulated shoppers", daemon=True)
        self.failure = ""

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            entered.enter_context(self._client)
            self._write_page()
            self._thread.start()
            entered.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.__exit__(None, None, None)
        self._write_page()

    @property
    def address(self) -> str:
        """Of the shop, without a password."""
        return self._client.address

    @property
    def searches(self) -> int:
        return self._simulation.searches

    @property
    def rounds(self) -> list[Round]:
        return self._curve.rounds

    def wait(self, seconds: float) -> bool:
        """Whether the shoppers are still there after so long."""
        self._thread.join(seconds)
        return self._thread.is_alive()

    def told(self) -> str:
        """What there is to say now, in one line."""
        so_far = f"shoppers: {self._simulation.searches} searches, {self._simulation.clicks} clicks"
        return f"{so_far}; {round_told(self.rounds[-1])}" if self.rounds else so_far

    def facts(self) -> dict[str, Any]:
        """For --json."""
        simulation = self._simulation
        overall = compare(simulation.compared, self._judging)
        return {
            "shoppers": self._options.shoppers,
            "searches": simulation.searches,
            "clicks": simulation.clicks,
            "events": simulation.events,
            "failed_requests": simulation.failed_requests,
            "measure": MEASURE,
            "rounds": [{"session": one.session, **asdict(one.comparison)} for one in self.rounds],
            "overall": None if overall is None else asdict(overall),
            "page": None if self._page is None else str(self._page),
        }

    def _visit(self) -> None:
        try:
            while not self._ended.is_set() and (due := self._simulation.next_due) is not None:
                if not self._ended.wait(max(0.0, (due - _now()).total_seconds())):
                    self._simulation.act()
                    self._judge()
        except (ShopUnavailable, OSError) as error:
            self.failure = str(error)

    def _judge(self) -> None:
        for one in self._curve.update(self._simulation.compared):
            self._on_round(one)
            self._write_page()

    def _write_page(self) -> None:
        if self._page is not None:
            shop, ended = self.address, self._ended.is_set()
            write_learning_pages(self._page, self.rounds, self._options.shoppers, shop, ended)


def round_told(one: Round) -> str:
    """Such as "session 5 of each: NDCG@10 personalized .62 [.59, .65], without a name .51 [.48, .54], difference +.11
    [...]".
    """
    compared = one.comparison
    difference = interval_told(compared.difference, sign=True)
    chance = " (may be chance)" if compared.difference.low <= 0 <= compared.difference.high else ""
    return (
        f"session {one.session} of each: {MEASURE} personalized {interval_told(compared.personalized)}, "
        f"without a name {interval_told(compared.plain)}, difference {difference}{chance}"
    )


def interval_told(interval: Interval, sign: bool = False) -> str:
    """The mean, and the ends of the interval in brackets."""
    mean, low, high = (_number(value, sign) for value in (interval.mean, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"


def _number(value: float, sign: bool) -> str:
    return f"{value:{'+' if sign else ''}.2f}".replace("0.", ".", 1)


def _now() -> datetime:
    return datetime.now(UTC)
