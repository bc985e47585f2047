"""What a batch of queries and events says of one list."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from feedback import join
from feedback.join import Action, ShownList


@dataclass(slots=True)
class ListNews:
    queries: list[ShownList] = field(default_factory=list)
    actions: dict[str, Action] = field(default_factory=dict)
    events: int = 0  # repeats within the batch included

    def add(self, event_id: str, action: Action) -> None:
        self.events += 1
        self.actions[event_id] = join.least(self.actions.get(event_id), action)

    def __len__(self) -> int:
        return len(self.queries) + len(self.actions)

    @property
    def at(self) -> float:
        return min([query.at for query in self.queries] + [action.at for action in self.actions.values()])

    def first_times(self) -> dict[str, float]:
        """When each who is named in it did the first of it, by name."""
        first: dict[str, float] = {}
        said = [(query.shopper, query.at) for query in self.queries]
        said += [(action.shopper, action.at) for action in self.actions.values() if action.shopper]
        for shopper, at in said:
            first[shopper] = min(at, first.get(shopper, math.inf))
        return dict(sorted(first.items()))

    def after(self, erased_at: Mapping[str, float]) -> "ListNews":
        """Without what erased shoppers did up to then."""
        queries = [query for query in self.queries if query.at > erased_at.get(query.shopper, -math.inf)]
        actions = {
            event_id: action
            for event_id, action in self.actions.items()
            if action.at > erased_at.get(action.shopper, -math.inf)
        }
        return ListNews(queries, actions, len(actions))
