"""What shoppers do passes the join, the profiles and the features, and comes back as lists that fit their tastes."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from demo.drawn_shop.looks import KINDS
from demo.drawn_shop.ranking import FEATURES, WEIGHTS
from demo.shoppers.comparison import PairedNdcg, compare
from demo.shoppers.shop_client import SearchResults
from demo.shoppers.simulation import Simulation, SimulationOptions
from demo.shoppers.tastes import SeenProduct
from feedback.join_settings import JoinSettings
from feedback.joining import ClickJoin
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.traffic import TrafficSettings
from feedback.updating import ProfileUpdater
from learning.relevance import RelevanceOptions
from ranking.features import DeclaredFeatures
from ranking.hand_set import HandSetRanker
from ranking.product_table import declared_table
from ranking.rankers import Candidate, Situation
from ranking.shop_features import HAND_SET_WEIGHTS, SHOP_FEATURES
from tests.unit.demo.fake_shop import DOCUMENTS, KINDS_OF_WORDS, OPENING
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.feedback import JoinedList

ALL_FEATURES = (*SHOP_FEATURES, *FEATURES)
JUDGING = RelevanceOptions(resamples=300)


class ClickLoopShop:
    """Finds a query's products in an order of its own, and puts them in order for the shopper as the server does."""

    def __init__(self, weights: Mapping[str, float], clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._products = {product.product_id: product for product in map(SeenProduct.of, DOCUMENTS)}
        store, profiles = MemoryStore(), ProfileSettings()
        self._join = ClickJoin(store, JoinSettings(), TrafficSettings(), self._seconds)
        self._updater = ProfileUpdater(store, profiles, self._seconds)
        table = declared_table(ALL_FEATURES)
        table.learn(DOCUMENTS)
        self._features = DeclaredFeatures(ALL_FEATURES, table, StateReader(store, profiles))
        self._ranker = HandSetRanker(weights)
        self._answers = 0
        self.suspects: set[str] = set()

    def search(self, text: str, limit: int, user_id: str, session_id: str) -> SearchResults:
        results = self._answer(text, limit, Situation(self._seconds(), user_id, session_id, text))
        query = BehaviorQuery(
            query_id=results.query_id,
            user_query=text,
            timestamp=self._clock(),
            user_id=user_id,
            session_id=session_id,
            query_response_hit_ids=tuple(product.product_id for product in results.products),
        )
        self._hear([query], [])
        return results

    def search_as_nobody(self, text: str, limit: int) -> SearchResults:
        return self._answer(text, limit, Situation(self._seconds(), text=text))

    def send(self, events: Sequence[Mapping[str, Any]]) -> None:
        self._hear([], [BehaviorEvent.model_validate(event) for event in events])

    def _answer(self, text: str, limit: int, situation: Situation) -> SearchResults:
        kinds = [KINDS_OF_WORDS[text]] if text in KINDS_OF_WORDS else KINDS
        found = [one.product_id for one in self._products.values() if one.kind in kinds][:100]
        scores = sorted((random.Random(f"{text}|{one}").gauss(0.55, 0.04), one) for one in found)[::-1]
        candidates = [Candidate(one, place, score) for place, (score, one) in enumerate(scores, start=1)]
        seen = self._features.input(situation, candidates)
        order = np.argsort(-self._ranker.score(seen), kind="stable")
        shown = [candidates[place].product_id for place in order.tolist()]
        self._answers += 1
        wanted = [self._products[one] for one in shown if one not in seen.bought]
        return SearchResults(f"q-{self._answers}", wanted[:limit])

    def _hear(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> None:
        joined = self._join.join(queries, events)
        self._join.settle(joined.exposed)
        lists = [JoinedList.model_validate_json(value) for _, value in joined.messages]
        self.suspects |= {one.suspect for one in lists} - {""}
        self._updater.apply(lists)

    def _seconds(self) -> float:
        return self._clock().timestamp()


def visited(weights: Mapping[str, float], sessions: int) -> list[PairedNdcg]:
    now = OPENING

    def clock() -> datetime:
        return now

    shop = ClickLoopShop(weights, clock)
    simulation = Simulation(shop, SimulationOptions(shoppers=10, sessions=sessions), clock)
    while (due := simulation.next_due) is not None:
        now = max(now, due)
        simulation.act()
    assert shop.suspects == set()  # no rule against robots takes them for one
    return simulation.compared


def test_lists_fit_better_session_by_session_where_the_ranker_looks_at_tastes() -> None:
    compared = visited({**HAND_SET_WEIGHTS, **WEIGHTS}, sessions=7)
    first = compare([one for one in compared if one.session <= 2], JUDGING)
    last = compare([one for one in compared if one.session > 5], JUDGING)

    assert first is not None
    assert last is not None
    assert last.difference.low > 0.05
    assert last.difference.mean > first.difference.mean + 0.05


def test_where_it_does_not_look_at_them_only_what_was_bought_leaves_the_lists() -> None:
    compared = compare(visited({"score": 1.0}, sessions=2), JUDGING)

    assert compared is not None
    assert abs(compared.difference.mean) < 0.02
