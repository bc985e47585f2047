"""The click loop as it runs live, for a replay: what is shown and done goes through the topics."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from feedback.join import OpenList, action_upon, shown_list
from feedback.ledger import decode_entry
from feedback.list_documents import add_actions, documents
from feedback.state_keys import counted_key
from feedback.store import ProfileStore
from learning.replay import LoopSettings
from topics.behavior import BehaviorEvent, BehaviorQuery, encode_event
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES
from topics.feedback import JoinedList
from topics.publisher import Message, Publisher
from topics.reader import TopicReader

_PATIENCE_SECONDS = 60.0
_READ_SECONDS = 0.005
_LOOK_SECONDS = 0.002


class TopicsLoop:
    """A Loop of `learning.replay` in lockstep with a click loop process, whose `store` and `joined_lists` it reads.

    It returns when the ledger has every list at the revision that follows from what was sent. Nobody may be suspect:
    that would add to revisions. Raises TimeoutError.
    """

    def __init__(
        self, store: ProfileStore, settings: LoopSettings, publisher: Publisher, joined_lists: TopicReader
    ) -> None:
        self.store = store
        self._settings = settings.join
        self._publisher = publisher
        self._joined_lists = joined_lists
        self._open: defaultdict[str, OpenList] = defaultdict(OpenList)

    def reveal(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> Sequence[JoinedList]:
        revisions = self._expected_revisions(queries, events)
        asked = [Message(BEHAVIOR_QUERIES, query.key, encode_event(query)) for query in queries]
        acted = [Message(BEHAVIOR_EVENTS, event.key, encode_event(event)) for event in events]
        self._publisher.publish_and_wait([*asked, *acted], _PATIENCE_SECONDS)
        joined = self._joined(revisions)
        self._wait_until_counted(revisions)
        return joined

    def _expected_revisions(
        self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]
    ) -> Mapping[str, int]:
        touched: defaultdict[str, set[str]] = defaultdict(set)
        for query in queries:
            self._open[query.query_id].add_query(shown_list(query))
            touched[query.query_id].update()
        for event in events:
            upon = action_upon(event)
            if upon is not None:
                add_actions(upon.list_id, self._open[upon.list_id], {upon.event_id: upon.action}, self._settings)
                touched[upon.list_id].add(upon.event_id)
        return {
            document["query_id"]: document["revision"]
            for list_id, event_ids in touched.items()
            for document in documents(list_id, self._open[list_id], self._settings.window_seconds, event_ids)
        }

    def _joined(self, revisions: Mapping[str, int]) -> Sequence[JoinedList]:
        found: dict[str, JoinedList] = {}

        def all_there() -> bool:
            for record in self._joined_lists.read(_READ_SECONDS):
                one = JoinedList.model_validate_json(record.value or b"")
                if one.revision >= revisions.get(one.query_id, one.revision + 1):
                    found[one.query_id] = one
            return len(found) == len(revisions)

        _wait_until(all_there)
        return list(found.values())

    def _wait_until_counted(self, revisions: Mapping[str, int]) -> None:
        keys = [counted_key(list_id) for list_id in revisions]

        def all_counted() -> bool:
            states = zip(self.store.read(keys), revisions.values(), strict=True)
            if all(decode_entry(state).revision >= revision for state, revision in states):
                return True
            time.sleep(_LOOK_SECONDS)
            return False

        _wait_until(all_counted)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the click loop did not get there within {_PATIENCE_SECONDS:g} s")
