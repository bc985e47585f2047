"""Messages to every client that stays connected, each at its own pace."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from monitoring.metrics import Metrics

_MOST_WAITING = 100


class TooManyStreams(Exception):
    """As many clients as there may be are connected."""


class Subscription:
    """What one client has yet to hear: the newest messages, and how many older ones it was too slow for.

    Belongs to the event loop on which it was made.
    """

    def __init__(self, most_waiting: int, on_lost: Callable[[int], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque(maxlen=most_waiting)
        self._most_waiting = most_waiting
        self._on_lost = on_lost
        self._lost = 0
        self._ended = False
        self._changed = asyncio.Event()

    def put(self, messages: Sequence[bytes]) -> None:
        lost = max(0, len(self._waiting) + len(messages) - self._most_waiting)
        self._waiting.extend(messages)
        if lost:
            self._lost += lost
            self._on_lost(lost)
        self._changed.set()

    def end(self) -> None:
        self._ended = True
        self._changed.set()

    async def take(self, patience_seconds: float) -> tuple[list[bytes], int] | None:
        """What came since the last call and how many were lost: nothing after so long without any; None at the end."""
        try:
            await asyncio.wait_for(self._changed.wait(), patience_seconds)
        except TimeoutError:
            return [], 0
        if self._ended:
            return None
        self._changed.clear()
        taken, lost = list(self._waiting), self._lost
        self._waiting.clear()
        self._lost = 0
        return taken, lost


class Announcements:
    """Messages to every subscriber. `announce` and `close` may be called from any thread."""

    def __init__(self, metrics: Metrics, max_streams: int = 100, most_waiting: int = _MOST_WAITING) -> None:
        self._open = metrics.announcement_streams
        self._announced = metrics.announcements
        self._max_streams = max_streams
        self._most_waiting = most_waiting
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    @property
    def has_subscribers(self) -> bool:
        return bool(self._subscriptions)

    def subscribe(self) -> Subscription:
        """Raises TooManyStreams. Call it on the event loop; `unsubscribe` gives the place back."""
        if len(self._subscriptions) >= self._max_streams:
            raise TooManyStreams
        subscription = Subscription(self._most_waiting, self._announced.labels("lost").inc)
        if self._closed:
            subscription.end()
        self._subscriptions.add(subscription)
        self._open.set(len(self._subscriptions))
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        self._open.set(len(self._subscriptions))

    def announce(self, messages: Sequence[bytes]) -> None:
        for subscription in tuple(self._subscriptions):
            self._announced.labels("offered").inc(len(messages))
            subscription.loop.call_soon_threadsafe(subscription.put, messages)

    def close(self) -> None:
        """End every stream, and those that come later at once."""
        self._closed = True
        for subscription in tuple(self._subscriptions):
            subscription.loop.call_soon_threadsafe(subscription.end)
