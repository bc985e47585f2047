"""A log replayed through the click loop as it runs live: each list is ranked first, then shown, then chosen from."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import numpy as np

from feedback.join_settings import JoinSettings
from feedback.joining import ClickJoin
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from feedback.traffic import TrafficSettings
from feedback.updating import ProfileUpdater
from learning.ranked_lists import ObservedList
from ranking.feature_settings import Feature
from ranking.features import DeclaredFeatures
from ranking.product_table import ProductTable, declared_table
from ranking.rankers import Candidate, Numbers, RankingInput, Situation
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.feedback import JoinedList
from topics.shop_log import LoggedEvent

Vectors = Callable[[Sequence[Product]], Mapping[str, Numbers]]


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How the click loop that is replayed is set. `gains`: what the best action upon a product is worth."""

    features: Sequence[Feature]
    profiles: ProfileSettings = field(default_factory=ProfileSettings)
    join: JoinSettings = field(default_factory=JoinSettings)
    traffic: TrafficSettings = field(default_factory=TrafficSettings)
    gains: Mapping[str, float] = field(default_factory=lambda: {"click": 1, "add_to_cart": 2, "purchase": 3})


class Loop(Protocol):
    """Takes what was shown and done into the states of `store`."""

    @property
    def store(self) -> ProfileStore: ...

    def reveal(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> Sequence[JoinedList]:
        """The lists that changed by it, as they then stand; all of it is in the store."""
        ...


class DirectLoop:
    """The join and the updater themselves, over states in memory; the clock is that of the events."""

    def __init__(self, settings: LoopSettings) -> None:
        self.store = MemoryStore()
        self._now = 0.0
        self._join = ClickJoin(self.store, settings.join, settings.traffic, lambda: self._now)
        self._updater = ProfileUpdater(self.store, settings.profiles, lambda: self._now)

    def reveal(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> Sequence[JoinedList]:
        times = [query.timestamp for query in queries] + [event.timestamp for event in events]
        self._now = max(self._now, max(times).timestamp())
        joined = self._join.join(queries, events)
        self._join.settle(joined.exposed)
        lists = [JoinedList.model_validate_json(value) for _, value in joined.messages]
        self._updater.apply(lists)
        return lists


class Replay:
    """The parts that serve and learn live. Equal logs give equal results.

    `vectors` gives unit vectors of products; left out, there are none. `loop`: another way of the same settings.
    """

    def __init__(self, settings: LoopSettings, vectors: Vectors | None = None, loop: Loop | None = None) -> None:
        self._settings = settings
        self._vectors = vectors
        self._loop: Loop = loop or DirectLoop(settings)
        self._table: ProductTable = declared_table(settings.features)
        reader = StateReader(self._loop.store, settings.profiles)
        self._features = DeclaredFeatures(settings.features, self._table, reader)
        self._seen: dict[str, RankingInput] = {}
        self._shown: dict[str, BehaviorQuery] = {}
        self._lists: dict[str, JoinedList] = {}

    def run(self, events: Iterable[LoggedEvent], on_list: Callable[[], None] = lambda: None) -> None:
        """Go on with these, which come after all of before; what stands together of one kind is taken at once."""
        shown: list[BehaviorQuery] = []
        for kind, together in groupby(events, type):
            if kind is Product:
                self._learn([event for event in together if isinstance(event, Product)])
            elif kind is BehaviorEvent:
                self._reveal(shown, [event for event in together if isinstance(event, BehaviorEvent)])
                shown = []
            else:
                for query in (event for event in together if isinstance(event, BehaviorQuery)):
                    self._reveal(shown, ())
                    self._predict(query)
                    shown = [query]
                    on_list()
        self._reveal(shown, ())

    def lists(self) -> list[ObservedList]:
        """All lists so far that count, in the order in which they were shown, with what was done by now."""
        numbers: Counter[str] = Counter()
        observed = []
        for query_id in self._seen:
            joined = self._lists[query_id]
            if joined.shopper:
                numbers[joined.shopper] += 1
            if not joined.suspect:
                observed.append(self._observed(joined, numbers[joined.shopper]))
        return observed

    def _learn(self, products: Sequence[Product]) -> None:
        self._table.learn(product.model_dump(mode="json") for product in products)
        if self._vectors is not None:
            self._table.learn_vectors(self._vectors(products))

    def _predict(self, query: BehaviorQuery) -> None:
        said = query.query_attributes
        situation = Situation(
            query.timestamp.timestamp(),
            query.actor,
            query.session_id or "",
            query.user_query,
            said.kind,
            said.language,
            said.context,
        )
        if query.query_id not in self._seen:
            self._seen[query.query_id] = self._features.input(situation, candidates_of(query))
            self._shown[query.query_id] = query

    def _reveal(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> None:
        if not queries and not events:
            return
        self._lists.update((one.query_id, one) for one in self._loop.reveal(queries, events))

    def _observed(self, joined: JoinedList, number: int) -> ObservedList:
        best: dict[str, float] = {}
        for action in joined.actions:
            worth = self._settings.gains.get(action.action, 0.0)
            best[action.product_id] = max(worth, best.get(action.product_id, 0.0))
        seen = self._seen[joined.query_id]
        gains = np.array([best.get(candidate.product_id, 0.0) for candidate in seen.candidates], np.float32)
        query = self._shown[joined.query_id]
        chances = query.query_attributes.propensities
        propensities = None if chances is None else np.array(chances)
        return ObservedList(
            joined.query_id, joined.shopper, number, seen, gains, np.array(_positions(query)), propensities
        )


def candidates_of(query: BehaviorQuery) -> list[Candidate]:
    """What was shown, as the search had placed it before it was re-ranked."""
    product_ids, said = query.query_response_hit_ids, query.query_attributes
    positions = said.retrieval_positions or _positions(query)
    scores = said.retrieval_scores or [None] * len(product_ids)
    return [Candidate(*one) for one in zip(product_ids, positions, scores, strict=True)]


def _positions(query: BehaviorQuery) -> Sequence[int]:
    return query.query_attributes.positions or range(1, len(query.query_response_hit_ids) + 1)
