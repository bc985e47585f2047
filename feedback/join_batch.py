"""One batch of queries and events on its way into the lists' states."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import orjson

from feedback import join, traffic
from feedback.erasure_marks import decode_mark
from feedback.join import OpenList
from feedback.join_settings import JoinSettings
from feedback.list_documents import add_actions, documents, own_list_ids
from feedback.list_news import ListNews
from feedback.settings import AHEAD_SECONDS
from feedback.state_keys import erased_key, list_key, traffic_key
from feedback.store import Kept
from feedback.traffic import Act, Traffic, TrafficSettings
from topics.behavior import BehaviorEvent, BehaviorQuery

_MOST_BYTES = 1_000_000  # of a message of feedback.examples

JoinedMessage = tuple[bytes, bytes]  # key and value for feedback.examples


@dataclass(slots=True)
class Joined:
    """What became of a batch: messages for `feedback.examples`, and how many events there were of each outcome.

    `exposed`: shoppers whose lists of before the suspicion are among the messages; `settle` them once those are
    acknowledged.
    """

    messages: list[JoinedMessage] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    suspicions: Counter[str] = field(default_factory=Counter)
    exposed: list[str] = field(default_factory=list)


class JoinBatch:
    """One batch on its way: what it says by list and by shopper, and what becomes of it."""

    def __init__(self, settings: JoinSettings, rules: TrafficSettings, now: float) -> None:
        self._settings = settings
        self._rules = rules
        self._until = now + AHEAD_SECONDS
        self._expires_at = now + settings.keep_seconds
        self.lists: defaultdict[str, ListNews] = defaultdict(ListNews)
        self._acts: defaultdict[str, dict[str, Act]] = defaultdict(dict)  # by shopper; of each there is an entry
        self._gathered: Counter[str] = Counter()
        self.joined = Joined()
        self.exposed: dict[str, tuple[str, list[str]]] = {}

    def gather(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> None:
        for query in queries:
            shown = join.shown_list(query)
            self.lists[query.query_id].queries.append(shown)
            if shown.shopper:
                self._acts[shown.shopper][query.query_id] = Act(shown.at, "")
        looked_at = {*self._rules.counted_actions, *self._rules.hammer_actions}
        for event in events:
            upon = join.action_upon(event)
            if upon is None:
                self._gathered["no_product"] += 1
                continue
            list_id, event_id, action = upon
            self.lists[list_id].add(event_id, action)
            if action.shopper:
                acts = self._acts[action.shopper]
                if action.action in looked_at:
                    acts[event_id] = Act(action.at, action.product_id, crc32(list_id.encode()), action.action)

    def keys(self) -> list[str]:
        return [
            *map(list_key, self.lists),
            *map(traffic_key, self._acts),
            *map(erased_key, self._acts),
        ]

    def change(self, held: Mapping[str, bytes]) -> dict[str, Kept | None]:
        """As ProfileStore.update asks for it: all results begin anew with each call."""
        self.joined = Joined(outcomes=self._gathered.copy())
        self.exposed = {}
        changed: dict[str, Kept | None] = {}
        erased_at = self._erased_at(held)
        shoppers = self._watched(held, erased_at)
        for list_id, all_news in self.lists.items():
            news = all_news.after(erased_at) if erased_at else all_news
            self.joined.outcomes["erased"] += len(all_news) - len(news)
            if not len(news):
                continue
            state = held.get(list_key(list_id))
            known = OpenList() if state is None else join.decode(state)
            self._fold(list_id, known, news)
            self._suspect(list_id, known, news, shoppers)
            self.joined.messages += self.messages(list_id, known, None if news.queries else news.actions)
            changed[list_key(list_id)] = self.kept(join.encode(known))
        for shopper, seen in shoppers.items():
            if not (seen.acts or seen.lists):
                continue  # no more is known than before, or all of it was erased
            changed[traffic_key(shopper)] = self.kept(traffic.encode(seen))
        return changed

    def _erased_at(self, held: Mapping[str, bytes]) -> dict[str, float]:
        marks = ((shopper, held.get(erased_key(shopper))) for shopper in self._acts)
        return {shopper: decode_mark(mark).erased_at for shopper, mark in marks if mark is not None}

    def _watched(self, held: Mapping[str, bytes], erased_at: Mapping[str, float]) -> dict[str, Traffic]:
        """What each shopper of the batch has done lately, this batch included."""
        watched = {}
        for shopper, acts in self._acts.items():
            state = held.get(traffic_key(shopper))
            seen = Traffic() if state is None else traffic.decode(state)
            if shopper in erased_at:
                acts = {id_: act for id_, act in acts.items() if act.at > erased_at[shopper]}
            if acts and seen.add(acts, self._rules, self._until):
                self.joined.suspicions[seen.suspicion] += 1
            watched[shopper] = seen
        return watched

    def _fold(self, list_id: str, known: OpenList, news: ListNews) -> None:
        for query in news.queries:
            known.add_query(query)
        added = add_actions(list_id, known, news.actions, self._settings)
        outcomes = self.joined.outcomes
        outcomes["queries"] += len(news.queries)
        outcomes["flooding" if known.flooded else "actions"] += added
        outcomes["repeated"] += news.events - added
        if known.query is not None:
            latest = known.query.at + self._settings.window_seconds
            outcomes["late"] += sum(action.at > latest for action in news.actions.values())

    def _suspect(self, list_id: str, known: OpenList, news: ListNews, shoppers: Mapping[str, Traffic]) -> None:
        """By what its shopper did, and whoever else acted upon it."""
        first_times = {known.shopper: news.at, **news.first_times()}
        watched = {shopper: shoppers[shopper] for shopper in first_times if shopper in shoppers}
        for shopper, seen in watched.items():
            if seen.is_suspect(first_times[shopper]):
                known.suspect = known.suspect or seen.suspicion
                if seen.lists:
                    self.exposed[shopper] = (seen.suspicion, seen.lists)
        if not known.suspect:
            for seen in watched.values():
                seen.remember_lists([list_id], self._rules.remembered_lists)

    def messages(self, list_id: str, known: OpenList, touched: Collection[str] | None) -> list[JoinedMessage]:
        """The list as it stands. One that is longer than a message may be is flooded, too."""
        told = documents(list_id, known, self._settings.window_seconds, touched)
        messages = [(document["query_id"].encode(), orjson.dumps(document)) for document in told]
        if any(len(value) > _MOST_BYTES for _, value in messages):
            known.flood(own_list_ids(list_id, known, self._settings.window_seconds))
            return self.messages(list_id, known, touched)
        return messages

    def kept(self, state: bytes) -> Kept:
        return Kept(state, self._expires_at)
