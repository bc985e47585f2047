"""Shoppers who visit a running shop, each in its own time, and how well what it shows them fits their hidden tastes."""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from demo.shoppers.behavior import ShownList, as_event
from demo.shoppers.browsing import Action, Appeal, Deed, Habits, browse
from demo.shoppers.comparison import PairedNdcg, ndcg
from demo.shoppers.intents import Intent
from demo.shoppers.personas import Persona, new_persona
from demo.shoppers.shop_client import SearchResults, ShopUnavailable

_PAGE = 20
_ALL = 100  # as many as one search answers: the best order is that of all of them
_WAIT_AFTER_FAILURE = timedelta(seconds=1)
_GATHERING = timedelta(seconds=0.25)
_SENT_AT_ONCE = 500
_FAILURES_IN_A_ROW = 20


class Shop(Protocol):
    """As `ShopClient`: every method raises ShopUnavailable."""

    def search(self, text: str, limit: int, user_id: str, session_id: str) -> SearchResults: ...

    def search_as_nobody(self, text: str, limit: int) -> SearchResults: ...

    def send(self, events: Sequence[Mapping[str, Any]]) -> None: ...


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """`sessions` of each shopper, None: without end; `taste_kept` is what a session leaves of a taste, 1: all of it.

    `busy_share`: for how much of the time, at most, the shop is at work for them. A slow shop is then asked less often.
    """

    shoppers: int = 20
    sessions: int | None = None
    sessions_per_second: float = 1.0
    busy_share: float = 1.0
    searches_per_session: int = 2
    seed: int = 1
    taste_kept: float = 0.998
    habits: Habits = field(default_factory=Habits)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One search of a session; sessions count from 1. `last` is the session's last."""

    persona: Persona
    intent: Intent
    session: int
    last: bool
    rng: random.Random

    @property
    def session_id(self) -> str:
        return f"{self.persona.name}-{self.session}"


@dataclass(slots=True)
class _Visitor:
    """`searches` are those of all sessions, `clicks` by product."""

    persona: Persona
    searches: int = 0
    clicks: Counter[str] = field(default_factory=Counter)

    def next_visit(self, options: SimulationOptions) -> _Visit:
        """Follows from the seed; asked again, it is the same."""
        session, search = divmod(self.searches, options.searches_per_session)
        rng = random.Random(f"visit|{self.persona.name}|{self.searches}")
        persona = self.persona.drifted(rng, options.taste_kept) if search == 0 else self.persona
        return _Visit(persona, persona.intent(rng), session + 1, search + 1 == options.searches_per_session, rng)

    def appeals(self, visit: _Visit, results: SearchResults) -> list[Appeal]:
        return [
            Appeal(visit.persona.grade(product, visit.intent), self.clicks[product.product_id])
            for product in results.products
        ]

    def remember(self, visit: _Visit, deeds: Sequence[tuple[Action, str]]) -> None:
        self.searches += 1
        self.clicks.update(product_id for action, product_id in deeds if action is Action.CLICK)
        self.persona = visit.persona.owning(product_id for action, product_id in deeds if action is Action.PURCHASE)


class Simulation:
    """Whatever is due is done by `act`; everything else may be read from another thread.

    The last search of each session is asked as nobody, too, for `compared`.
    """

    def __init__(self, shop: Shop, options: SimulationOptions, clock: Callable[[], datetime]) -> None:
        self._shop = shop
        self._options = options
        self._clock = clock
        self._visitors = [_Visitor(new_persona(options.seed, number)) for number in range(options.shoppers)]
        self._between_visits = timedelta(seconds=1 / (options.sessions_per_second * options.searches_per_session))
        start = clock()
        self._due = [(start, number) for number in range(options.shoppers)]
        self._next_visit = start
        self._happening: list[tuple[datetime, int, Mapping[str, Any]]] = []
        self._quiet_until = start
        self._failures_in_a_row = 0
        self.compared: list[PairedNdcg] = []
        self.searches = 0
        self.clicks = 0
        self.events = 0
        self.failed_requests = 0

    @property
    def next_due(self) -> datetime | None:
        """When there is something to do again; None at the end."""
        moments = [max(self._due[0][0], self._next_visit)] if self._due else []
        moments += [self._happening[0][0] + _GATHERING] if self._happening else []
        return max(min(moments), self._quiet_until) if moments else None

    def act(self) -> None:
        """Send what has happened, and let one shopper search, where that is due.

        A request that fails is made again after a pause. Raises ShopUnavailable where one after the other fails.
        """
        now = self._clock()
        if now < self._quiet_until:
            return
        try:
            if self._happening and self._happening[0][0] + _GATHERING <= now:
                self._send(now)
            if self._due and max(self._due[0][0], self._next_visit) <= now:
                self._visit(self._due[0][1])
                self._next_visit = now + max(self._between_visits, (self._clock() - now) / self._options.busy_share)
            self._failures_in_a_row = 0
        except ShopUnavailable:
            self.failed_requests += 1
            self._failures_in_a_row += 1
            if self._failures_in_a_row == _FAILURES_IN_A_ROW:
                raise
            self._quiet_until = now + _WAIT_AFTER_FAILURE

    def _send(self, now: datetime) -> None:
        happened = [one for one in sorted(self._happening)[:_SENT_AT_ONCE] if one[0] <= now]
        self._shop.send([event for *_, event in happened])
        for _ in happened:
            heapq.heappop(self._happening)

    def _visit(self, number: int) -> None:
        visitor = self._visitors[number]
        visit = visitor.next_visit(self._options)
        plain = self._shop.search_as_nobody(visit.intent.text, _ALL) if visit.last else None
        results = self._shop.search(visit.intent.text, _PAGE, visit.persona.name, visit.session_id)
        shown_at = self._clock()
        if plain is not None:
            self.compared.append(_judge(visit, results, plain))
        ids = [product.product_id for product in results.products]
        deeds = browse(visitor.appeals(visit, results), self._options.habits, visit.rng)
        self._happens(deeds, ShownList(results.query_id, visit.persona.name, visit.session_id, shown_at, ids))
        visitor.remember(visit, [(deed.action, ids[deed.place - 1]) for deed in deeds])
        self.searches += 1
        heapq.heappop(self._due)
        if not (visit.last and visit.session == self._options.sessions):
            busy = (deeds[-1].seconds if deeds else 0.0) + self._options.habits.pause_seconds
            heapq.heappush(self._due, (shown_at + timedelta(seconds=busy), number))

    def _happens(self, deeds: Sequence[Deed], shown: ShownList) -> None:
        for deed in deeds:
            moment = shown.shown_at + timedelta(seconds=deed.seconds)
            heapq.heappush(self._happening, (moment, self.events, as_event(deed, shown)))
            self.events += 1
            self.clicks += deed.action is Action.CLICK


def _judge(visit: _Visit, results: SearchResults, plain: SearchResults) -> PairedNdcg:
    """The best order is that of all products that either list has."""
    grade = {
        product.product_id: visit.persona.grade(product, visit.intent)
        for product in (*plain.products, *results.products)
    }
    found = list(grade.values())
    lists = ([grade[product.product_id] for product in each.products] for each in (results, plain))
    return PairedNdcg(visit.persona.name, visit.session, *(ndcg(grades, found) for grades in lists))
