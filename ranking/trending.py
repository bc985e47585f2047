"""What shoppers turn to now: actions on products, weighed by their kind and fading with event time."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ranking.settings import TrendingSettings
from topics.behavior import BehaviorEvent

_AHEAD = timedelta(minutes=5)  # clocks of browsers are a little wrong; an event from next year would stay on top
_FADED = 1e-3
_REPEATS_REMEMBERED = 200_000
_EVENTS_BETWEEN_SWEEPS = 10_000


class Counted(StrEnum):
    """What became of an event."""

    COUNTED = "counted"
    OTHER_ACTION = "other_action"  # without weight, or upon no product
    REPEATED = "repeated"
    FROM_THE_FUTURE = "from_the_future"
    FADED = "faded"


@dataclass(frozen=True, slots=True)
class Trend:
    """How much a product is turned to: `score` is the sum of `actions`, each one's faded and weighed events."""

    product_id: str
    score: float
    actions: Mapping[str, float]


@dataclass(slots=True)
class _Attention:
    """As of the time `at`, in seconds since 1970."""

    at: float = 0.0
    actions: dict[str, float] = field(default_factory=dict)

    def add(self, action: str, weight: float, at: float, half_life: float) -> None:
        if at > self.at:
            fading = 0.5 ** ((at - self.at) / half_life)
            self.actions = {name: value * fading for name, value in self.actions.items()}
            self.at = at
        self.actions[action] = self.actions.get(action, 0.0) + weight * 0.5 ** ((self.at - at) / half_life)

    def as_of(self, now: float, half_life: float) -> dict[str, float]:
        fading = 0.5 ** ((now - self.at) / half_life)
        return {name: value * fading for name, value in self.actions.items()}


class Trending:
    """Sums with exponential decay by event time: late events and those of a replay count what they would have counted.

    The first to come of an actor's equal actions on a product counts, once a day (UTC), whatever is sent again or
    clicked often; the last 200,000 are remembered for that. Every method is safe to call from several threads.
    """

    def __init__(self, settings: TrendingSettings) -> None:
        self._weights = settings.action_weights
        self._half_life = settings.half_life_hours * 3600
        self._attention: dict[str, _Attention] = {}
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._since_sweep = 0
        self._lock = threading.Lock()

    @property
    def horizon_seconds(self) -> float:
        """Older events have faded to a thousandth."""
        return 10 * self._half_life

    def count(self, event: BehaviorEvent, now: datetime) -> Counted:
        """Take one event into account, as of `now`."""
        product_id = event.product_id
        weight = self._weights.get(event.action_name, 0.0)
        if product_id is None or weight <= 0:
            return Counted.OTHER_ACTION
        if event.timestamp > now + _AHEAD:
            return Counted.FROM_THE_FUTURE
        if (now - event.timestamp).total_seconds() > self.horizon_seconds:
            return Counted.FADED
        with self._lock:
            if self._is_repeat(event, product_id):
                return Counted.REPEATED
            attention = self._attention.setdefault(product_id, _Attention())
            attention.add(event.action_name, weight, event.timestamp.timestamp(), self._half_life)
            self._sweep_now_and_then(now.timestamp())
        return Counted.COUNTED

    def top(self, now: datetime, limit: int) -> list[Trend]:
        """The products that are turned to most, the first one most; equal ones by id."""
        moment = now.timestamp()
        with self._lock:
            faded = {id_: attention.as_of(moment, self._half_life) for id_, attention in self._attention.items()}
        trends = (Trend(product_id, sum(actions.values()), actions) for product_id, actions in faded.items())
        return sorted(trends, key=lambda trend: (-trend.score, trend.product_id))[:limit]

    def _is_repeat(self, event: BehaviorEvent, product_id: str) -> bool:
        day = event.timestamp.timestamp() // 86_400
        who = event.actor or event.timestamp.isoformat()
        mark = hash((who, product_id, event.action_name, day))
        if mark in self._seen:
            self._seen.move_to_end(mark)
            return True
        self._seen[mark] = None
        if len(self._seen) > _REPEATS_REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _sweep_now_and_then(self, now: float) -> None:
        """Forget what has faded, so that memory does not grow with every product that was ever clicked."""
        self._since_sweep += 1
        if self._since_sweep < _EVENTS_BETWEEN_SWEEPS:
            return
        self._since_sweep = 0
        kept = {
            id_: attention
            for id_, attention in self._attention.items()
            if sum(attention.as_of(now, self._half_life).values()) >= _FADED
        }
        self._attention = kept
