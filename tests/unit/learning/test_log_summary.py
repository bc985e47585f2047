"""What a log holds, and how much of it belongs together."""

from learning.log_summary import summarize_log
from tests.unit.feedback.behavior import asked, did, moment
from topics.events import Product
from topics.shop_log import LoggedEvent

LAMP = Product(id="a", updated_at=moment(0), title="Lamp")


def test_events_are_told_apart_by_how_far_they_belong_to_a_list() -> None:
    log: list[LoggedEvent] = [
        *(LAMP, asked("q1", "a", "b"), asked("q2")),
        *(did("q1", None), did("q9", "a"), did("q1", "z"), did("q1", "a", action="klick"), did("q1", "a")),
    ]
    summary = summarize_log(log, {"click"})

    assert (summary.products, summary.queries, summary.queries_with_hits) == (1, 2, 1)
    assert (summary.shown, summary.without_product) == (2, ["b"])
    assert [
        summary.events,
        summary.events_about_products,
        summary.events_of_queries,
        summary.events_upon_shown,
        summary.events_that_count,
    ] == [5, 4, 3, 2, 1]
