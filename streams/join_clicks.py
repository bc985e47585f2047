"""The agent `join-clicks`: queries and events to joined lists."""

from collections.abc import Callable, Sequence

from feedback.joining import MOST_SHOWN_BYTES, ClickJoin, shown_bytes
from feedback.store import StoreUnavailable
from monitoring.metrics import Metrics
from streams.batch_agent import Patience
from streams.outbox import Outbox
from streams.reading import Rejected, read_records
from streams.records import Record
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES, FEEDBACK_EXAMPLES
from topics.events import InvalidEvent, InvalidReason


class JoinClicks:
    """The work of the agent: returns when the store and the broker have all of it."""

    def __init__(
        self,
        clicks: ClickJoin,
        outbox: Outbox,
        metrics: Metrics,
        on_wait: Callable[[], None],
        queries_topic: str,
        most_bytes: int,
    ) -> None:
        self._clicks = clicks
        self._outbox = outbox
        self._metrics = metrics
        self._patience = Patience("profile store", StoreUnavailable, metrics, on_wait)
        self._queries_topic = queries_topic
        self._most_bytes = most_bytes

    def __call__(self, records: Sequence[Record]) -> None:
        asked = [record for record in records if record.topic == self._queries_topic]
        acted = [record for record in records if record.topic != self._queries_topic]
        queries, bad_queries = _of_joinable_size(*read_records(asked, BehaviorQuery, self._most_bytes))
        events, bad_events = read_records(acted, BehaviorEvent, self._most_bytes)
        said = [query for _, query in queries], [event for _, event in events]
        joined = self._patience.call(lambda: self._clicks.join(*said))
        self._outbox.send(FEEDBACK_EXAMPLES, joined.messages)
        self._outbox.put_aside(BEHAVIOR_QUERIES, bad_queries)
        self._outbox.put_aside(BEHAVIOR_EVENTS, bad_events)
        self._patience.call(lambda: self._clicks.settle(joined.exposed))
        for outcome, count in joined.outcomes.items():
            topic = BEHAVIOR_QUERIES if outcome == "queries" else BEHAVIOR_EVENTS
            self._metrics.events.labels(topic, outcome).inc(count)
        for suspicion, count in joined.suspicions.items():
            self._metrics.suspect_shoppers.labels(suspicion).inc(count)


def _of_joinable_size(
    read: Sequence[tuple[Record, BehaviorQuery]], rejected: list[Rejected]
) -> tuple[list[tuple[Record, BehaviorQuery]], list[Rejected]]:
    """A list says more of each product than its query does, and one that no message holds would be tried for ever."""
    fitting = []
    for record, query in read:
        size = shown_bytes(query, len(record.value or b""))
        if size <= MOST_SHOWN_BYTES:
            fitting.append((record, query))
        else:
            detail = f"its list would have about {size} bytes, {MOST_SHOWN_BYTES} are allowed"
            rejected.append(Rejected(record, InvalidEvent(InvalidReason.TOO_LARGE, detail, record.value or b"")))
    return fitting, rejected
