"""Queries and events to joined lists, over states in the store."""

import time
from collections.abc import Callable, Mapping, Sequence

from feedback import join, traffic
from feedback.join_batch import JoinBatch, Joined, JoinedMessage
from feedback.join_settings import JoinSettings
from feedback.state_keys import list_id_of, list_key, traffic_key
from feedback.store import Kept, ProfileStore
from feedback.traffic import TrafficSettings
from topics.behavior import BehaviorEvent, BehaviorQuery

MOST_SHOWN_BYTES = 500_000  # of the query's part of a message
_BYTES_OF_A_PLACE = 70  # that a JoinedList says of a product beside its id


def shown_bytes(query: BehaviorQuery, record_bytes: int) -> int:
    """About how long the query's part of a message is; at most MOST_SHOWN_BYTES can be joined."""
    return record_bytes + _BYTES_OF_A_PLACE * len(query.query_response_hit_ids)


class ClickJoin:
    """Folds batches of queries and events into the lists' states, and says how each list that they touch now stands.

    A repeat of a batch changes no state and gives the same lists again, so that a process that ends anywhere between
    the store and the broker loses nothing. `clock` decides only when a state may be forgotten.
    """

    def __init__(
        self,
        store: ProfileStore,
        settings: JoinSettings,
        rules: TrafficSettings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._rules = rules
        self._clock = clock

    def join(self, queries: Sequence[BehaviorQuery], events: Sequence[BehaviorEvent]) -> Joined:
        """Raises StoreUnavailable; the same call may then be made again."""
        batch = JoinBatch(self._settings, self._rules, self._clock())
        batch.gather(queries, events)
        if batch.lists:
            self._store.update(batch.keys(), batch.change)
        else:
            batch.change({})
        self._expose(batch)
        return batch.joined

    def settle(self, shoppers: Sequence[str]) -> None:
        """Their lists of before the suspicion have been told. Raises StoreUnavailable."""
        if shoppers:
            self._store.update([traffic_key(shopper) for shopper in shoppers], self._without_lists)

    def _without_lists(self, held: Mapping[str, bytes]) -> dict[str, Kept | None]:
        expires_at = self._clock() + self._settings.keep_seconds
        changed: dict[str, Kept | None] = {}
        for key, state in held.items():
            known = traffic.decode(state)
            known.lists = []
            changed[key] = Kept(traffic.encode(known), expires_at)
        return changed

    def _expose(self, batch: JoinBatch) -> None:
        """Tell the lists of those who have just become suspect again."""
        for shopper, (suspicion, list_ids) in batch.exposed.items():
            exposure = _Exposure(batch, suspicion)
            self._store.update([list_key(list_id) for list_id in list_ids], exposure.change)
            batch.joined.messages += exposure.messages
            batch.joined.exposed.append(shopper)


class _Exposure:
    """Lists of before a suspicion become suspect, too."""

    def __init__(self, batch: JoinBatch, suspicion: str) -> None:
        self._batch = batch
        self._suspicion = suspicion
        self.messages: list[JoinedMessage] = []

    def change(self, held: Mapping[str, bytes]) -> dict[str, Kept | None]:
        self.messages = []
        changed: dict[str, Kept | None] = {}
        for key, state in held.items():
            known = join.decode(state)
            known.suspect = known.suspect or self._suspicion
            self.messages += self._batch.messages(list_id_of(key), known, None)
            changed[key] = self._batch.kept(join.encode(known))
        return changed
