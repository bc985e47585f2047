"""What a person is told of a log that teaches less than it could."""

from collections.abc import Collection, Sequence

from learning.log_summary import LogSummary, summarize_log
from learning.ranked_lists import ObservedList, RankingDataError, informative
from topics.shop_log import LoggedEvent

_NAMED = 3


def unknown_products(summary: LogSummary) -> str | None:
    """A warning where lists show products that the log does not describe."""
    unknown = summary.without_product
    if not unknown:
        return None
    some = ", ".join([*unknown[:_NAMED], *["..."] * (len(unknown) > _NAMED)])
    return (
        f"warning: {len(unknown)} of {summary.shown} shown products are not described ({some}): nothing is known of "
        "their brands, prices, words and pictures. Add a line for each to the log; with --examples, give --products"
    )


def late_descriptions(summary: LogSummary) -> str | None:
    """A note where lists were shown before the first version of a product, as in a log of newest versions alone."""
    if not summary.described_later:
        return None
    return (
        f"{summary.described_later} of {summary.shown} shown products are described only later (updated_at): "
        "their first version is used from the start, with prices, stock and ratings of a later day"
    )


def lost_events(summary: LogSummary) -> str | None:
    """A note where some of what was done tells nothing of a list."""
    if summary.events_read == summary.events:
        return None
    return f"{summary.events - summary.events_read} events tell nothing of a list: the log has {_counts(summary)}"


def anonymous_queries(summary: LogSummary) -> str | None:
    """A warning where nothing can be learned of single shoppers."""
    if summary.anonymous < summary.queries:
        return None
    return (
        "warning: no query names a user_id, client_id or session_id: nothing is learned of single shoppers, and all "
        "are shown the same order"
    )


def require_joined(summary: LogSummary) -> None:
    """Raises RankingDataError where nothing was done with any list."""
    if not summary.events_that_count:
        raise RankingDataError(f"there is nothing to learn: the log has {_counts(summary)}. {_next_step(summary)}")


def telling_lists(
    lists: Sequence[ObservedList], events: Sequence[LoggedEvent], actions: Collection[str]
) -> list[ObservedList]:
    """Those of `informative`, out of a log with these events. Raises RankingDataError that says what the log has."""
    try:
        return informative(lists)
    except RankingDataError as error:
        counts = _counts(summarize_log(events, actions))
        raise RankingDataError(
            f"{error}. The log has {counts}. What is done later than click_loop.join.window_hours after a list, and by "
            "whoever acts like no shopper (click_loop.traffic), does not count"
        ) from None


def _counts(summary: LogSummary) -> str:
    return (
        f"{summary.products} products, {summary.queries} queries ({summary.queries_with_hits} with "
        f"query_response_hit_ids), {summary.events} events: {summary.events_about_products} name a product, "
        f"{summary.events_of_queries} of these a query of the log, {summary.events_upon_shown} of these a product that "
        f"its list showed, {summary.events_that_count} of these with an action that counts"
    )


def _next_step(summary: LogSummary) -> str:
    """How to mend what is the first to be missing."""
    steps = {
        "Add queries: lines with user_query, query_id, timestamp and query_response_hit_ids": summary.queries,
        "Write what was shown as query_response_hit_ids, a list of product ids": summary.queries_with_hits,
        "Add events: lines with action_name, timestamp, query_id and event_attributes": summary.events,
        "Name an event's product in event_attributes.object.object_id": summary.events_about_products,
        "Give an event the query_id of the list that it was done with": summary.events_of_queries,
        "Give an event an object_id of its list's query_response_hit_ids": summary.events_upon_shown,
        "Actions that count are click, add_to_cart and purchase": summary.events_that_count,
    }
    return next(step for step, found in steps.items() if not found) + "; docs/ranking.md has a sample"
