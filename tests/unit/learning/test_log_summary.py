"""What a log holds, and how much of it belongs together."""

import pytest

from learning.log_summary import summarize_log
from tests.unit.feedback.behavior import asked, did, moment
from topics.events import Product
from topics.shop_log import LoggedEvent

LAMP = Product(id="a", updated_at=moment(0), title="Lamp")
NEWER = LAMP.model_copy(update={"updated_at": moment(3_600)})


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


@pytest.mark.parametrize(
    ("versions", "count"),
    [([LAMP], 0), ([NEWER], 1), ([LAMP, NEWER], 0)],
)
def test_a_product_that_was_shown_before_its_first_version_is_described_later(
    versions: list[LoggedEvent], count: int
) -> None:
    log = [*versions, asked("q2", "a", at=7_200), asked("q1", "b", "a")]

    assert summarize_log(log, {"click"}).described_later == count
