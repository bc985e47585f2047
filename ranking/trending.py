"""What shoppers turn to now: actions on products, weighed by their kind and fading with event time."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import nlargest, nsmallest

from ranking.settings import TrendingSettings
from topics.behavior import BehaviorEvent
from topics.events import MAX_ID_LENGTH

_AHEAD = timedelta(minutes=5)  # clocks of browsers are a little wrong; an event from next year would stay on top
_FADED = 1e-3
_REPEATS_REMEMBERED = 200_000
_EVENTS_BETWEEN_SWEEPS = 10_000
_HALF_LIVES_BETWEEN_SWEEPS = 100
_MOST_PRODUCTS = 100_000


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


class Trending:
    """Sums with exponential decay by event time: late events and those of a replay count what they would have counted.

    All sums are kept as of one moment, the landmark (forward decay, Cormode and others, ICDE 2009): time alone changes
    no order. The first to come of an actor's equal actions on a product counts, once a day (UTC), whatever is sent
    again or clicked often; the last 200,000 are remembered for that. Of more than 100,000 products the least are
    forgotten. Every method is safe to call from several threads.
    """

    def __init__(self, settings: TrendingSettings) -> None:
        self._weights = settings.action_weights
        self._half_life = settings.half_life_hours * 3600
        self._landmark = 0.0  # seconds since 1970; moves before sums grow beyond what a float holds
        self._actions: dict[str, dict[str, float]] = {}  # by product
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._until_sweep = 0
        self._lock = threading.Lock()

    @property
    def horizon_seconds(self) -> float:
        """Older events have faded to a thousandth."""
        return 10 * self._half_life

    def count(self, event: BehaviorEvent, now: datetime) -> Counted:
        """Take one event into account, as of `now`."""
        product_id = event.product_id
        weight = self._weights.get(event.action_name, 0.0)
        if product_id is None or len(product_id) > MAX_ID_LENGTH or weight <= 0:
            return Counted.OTHER_ACTION
        if event.timestamp > now + _AHEAD:
            return Counted.FROM_THE_FUTURE
        if (now - event.timestamp).total_seconds() > self.horizon_seconds:
            return Counted.FADED
        with self._lock:
            if self._is_repeat(event, product_id):
                return Counted.REPEATED
            self._sweep_now_and_then(now.timestamp())
            actions = self._actions.setdefault(product_id, {})
            value = weight / self._fading(event.timestamp.timestamp())
            actions[event.action_name] = actions.get(event.action_name, 0.0) + value
        return Counted.COUNTED

    def top(self, now: datetime, limit: int) -> list[Trend]:
        """The products that are turned to most, the first one most; equal ones by id."""
        with self._lock:
            fading = self._fading(now.timestamp())
            best = nsmallest(limit, self._actions.items(), key=lambda one: (-sum(one[1].values()), one[0]))
            trends = [(product_id, {name: value * fading for name, value in done.items()}) for product_id, done in best]
        return [Trend(product_id, sum(actions.values()), actions) for product_id, actions in trends]

    def forget(self, product_ids: Iterable[str]) -> None:
        """Products that are not there: events may name whatever their sender likes."""
        with self._lock:
            for product_id in product_ids:
                self._actions.pop(product_id, None)

    def _fading(self, moment: float) -> float:
        """What is left at this moment of an action at the landmark."""
        return float(2.0 ** ((self._landmark - moment) / self._half_life))

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
        """The landmark is now; what has faded, and the least of too many, is forgotten."""
        self._until_sweep -= 1
        if self._until_sweep > 0 and now - self._landmark < _HALF_LIVES_BETWEEN_SWEEPS * self._half_life:
            return
        self._until_sweep = _EVENTS_BETWEEN_SWEEPS
        fading = self._fading(now)
        self._landmark = now
        faded = {
            product_id: {name: value * fading for name, value in actions.items()}
            for product_id, actions in self._actions.items()
        }
        kept = {product_id: actions for product_id, actions in faded.items() if sum(actions.values()) >= _FADED}
        best = nlargest(_MOST_PRODUCTS, kept.items(), key=lambda one: sum(one[1].values()))
        self._actions = dict(best)
