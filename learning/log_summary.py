"""What a shop's log holds, and how much of it belongs together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from feedback.ledger import IMPRESSION
from feedback.profiles import KNOWN_DEEDS
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.shop_log import LoggedEvent


@dataclass(frozen=True, slots=True)
class LogSummary:
    """Of the events each number is a part of the one before: those that name a product, whose query is in the log,
    whose product is in the list of that query, and whose action counts; `events_read` are those upon a product of their
    list with an action that anything reads, such as a view. `without_product`: shown, but in the log no
    product has that id. `described_later`: shown, but the first version in the log is of a later time. `anonymous`:
    queries that name neither a person, nor a browser, nor a session.
    """

    products: int
    queries: int
    queries_with_hits: int
    anonymous: int
    shown: int
    without_product: Sequence[str]
    described_later: int
    events: int
    events_about_products: int
    events_of_queries: int
    events_upon_shown: int
    events_that_count: int
    events_read: int


def summarize_log(events: Sequence[LoggedEvent], actions: Collection[str]) -> LogSummary:
    """`actions`: those that count."""
    products = _first_versions(events)
    queries = [event for event in events if isinstance(event, BehaviorQuery)]
    done = [event for event in events if isinstance(event, BehaviorEvent)]
    lists = {query.query_id: query.query_response_hit_ids for query in queries}
    shown = _first_showings(queries)
    read = {*KNOWN_DEEDS, IMPRESSION, *actions}
    about_products = [event for event in done if event.product_id is not None]
    of_queries = [event for event in about_products if event.query_id in lists]
    upon_shown = [event for event in of_queries if event.product_id in lists[event.query_id or ""]]
    return LogSummary(
        len(products),
        len(queries),
        sum(bool(query.query_response_hit_ids) for query in queries),
        sum(not query.actor and not query.session_id for query in queries),
        len(shown),
        sorted(shown.keys() - products.keys()),
        sum(products[product_id] > shown[product_id] for product_id in shown.keys() & products.keys()),
        len(done),
        len(about_products),
        len(of_queries),
        len(upon_shown),
        sum(event.action_name in actions for event in upon_shown),
        sum(event.action_name in read for event in upon_shown),
    )


def _first_versions(events: Sequence[LoggedEvent]) -> dict[str, datetime]:
    """By product, when its first version in the log was written."""
    written: dict[str, datetime] = {}
    for event in events:
        if isinstance(event, Product):
            written.setdefault(event.id, event.updated_at)
    return written


def _first_showings(queries: Sequence[BehaviorQuery]) -> dict[str, datetime]:
    """By product, the time of the earliest list that shows it."""
    shown: dict[str, datetime] = {}
    for query in queries:
        for product_id in query.query_response_hit_ids:
            shown[product_id] = min(query.timestamp, shown.get(product_id, query.timestamp))
    return shown
