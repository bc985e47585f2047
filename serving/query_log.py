"""What was asked and shown, on its way to `behavior.queries`: no answer waits for it."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.metrics import Metrics
from ranking.rankers import Candidate
from serving.shoppers import Asker
from topics.behavior import BehaviorQuery, QueryAttributes, encode_event
from topics.catalogue import BEHAVIOR_QUERIES
from topics.publisher import Delivery, MessageRefused, Publisher, PublisherError, PublisherOverloaded

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """`position` counts from 1; `propensity` is the chance with which the product was shown there, None: not known.

    `found`: how it had been found before it was re-ranked; None where it was not re-ranked.
    """

    product_id: str
    position: int
    propensity: float | None = None
    found: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A list that somebody was shown. `releases` is of the models that made it, by role."""

    query_id: str
    text: str
    kind: str
    shown: Sequence[Shown]
    releases: dict[str, str]
    language: str = ""


class QueryLog:
    """Publishes queries from any thread. What finds no place, or does not arrive, is counted and goes on unsaid."""

    def __init__(self, publisher: Publisher, metrics: Metrics, clock: Callable[[], datetime], max_waiting: int) -> None:
        """`max_waiting`: queries that the broker has not acknowledged; `clock` gives the time with its zone."""
        self._publisher = publisher
        self._published = metrics.published
        self._clock = clock
        self._max_waiting = max_waiting
        self._waiting = 0
        self._lock = threading.Lock()

    def record(self, answered: Answered, asker: Asker) -> None:
        """Returns at once, whatever the broker does."""
        if not self._take_place():
            self._count("queue_full")
            return
        try:
            query = _query(answered, asker, self._clock())
            self._publisher.publish(BEHAVIOR_QUERIES, query.key, encode_event(query), on_delivery=self._delivered)
        except (PublisherError, ValueError) as error:
            self._give_place_back()
            self._count(_reason(error))
            logger.debug("Query %s was not published: %s", answered.query_id, error)

    def _delivered(self, delivery: Delivery) -> None:
        self._give_place_back()
        self._count("failed" if delivery.error else "acknowledged")

    def _take_place(self) -> bool:
        with self._lock:
            if self._waiting >= self._max_waiting:
                return False
            self._waiting += 1
            return True

    def _give_place_back(self) -> None:
        with self._lock:
            self._waiting -= 1

    def _count(self, outcome: str) -> None:
        self._published.labels(BEHAVIOR_QUERIES, outcome).inc()


def _reason(error: Exception) -> str:
    match error:
        case PublisherOverloaded():
            return "queue_full"
        case MessageRefused():
            return "refused"
        case PublisherError():
            return "failed"
        case _:
            return "unwritable"


def _all_known(numbers: Sequence[float | None]) -> tuple[float, ...] | None:
    """None where one of them is not known."""
    known = tuple(number for number in numbers if number is not None)
    return known if len(known) == len(numbers) else None


def _query(answered: Answered, asker: Asker, at: datetime) -> BehaviorQuery:
    found = [one.found for one in answered.shown if one.found is not None]
    return BehaviorQuery(
        query_id=answered.query_id,
        user_query=answered.text,
        timestamp=at,
        user_id=asker.user_id or None,
        client_id=asker.client_id or None,
        session_id=asker.session_id or None,
        query_response_hit_ids=tuple(one.product_id for one in answered.shown),
        query_attributes=QueryAttributes(
            positions=tuple(one.position for one in answered.shown),
            propensities=_all_known([one.propensity for one in answered.shown]),
            retrieval_positions=tuple(one.position for one in found) if len(found) == len(answered.shown) else None,
            retrieval_scores=_all_known([one.score for one in found]) if len(found) == len(answered.shown) else None,
            releases=answered.releases,
            kind=answered.kind,
            language=answered.language,
            context=dict(asker.context),
        ),
    )
