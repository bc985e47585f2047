"""The example log replayed: what was joined is joined again, to the same lists."""

from feedback.memory_store import MemoryStore
from learning.example_events import events_of
from tests.unit.feedback.behavior import asked, click_join, did, lists_of
from tests.unit.learning.test_replay import LOG, WHOLE, assert_equal, replayed
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.feedback import JoinedList

QUERIES = [event for event in LOG if isinstance(event, BehaviorQuery)]
EVENTS = [event for event in LOG if isinstance(event, BehaviorEvent)]
PRODUCTS = [event for event in LOG if isinstance(event, Product)]


def joined(queries: list[BehaviorQuery], events: list[BehaviorEvent]) -> list[JoinedList]:
    return list(lists_of([click_join(MemoryStore()).join(queries, events)]).values())


def test_examples_give_the_same_lists_as_the_log_that_they_come_from() -> None:
    """In whatever order they were written."""
    examples = joined(QUERIES, EVENTS)[::-1]

    assert_equal(replayed([*PRODUCTS, *events_of(examples)]), WHOLE)


def test_nothing_of_a_list_is_lost() -> None:
    query = asked(
        "q", "a", "b", positions=(2, 5), propensities=(0.5, 0.25), retrieval_positions=(7, 8),
        retrieval_scores=(0.5, 0.1), kind="text", language="en", arm="B", releases={"ranker": "x"},
        context={"place": "Berlin"},
    )  # fmt: skip
    event = did("q", "a", action="purchase", event_attributes={"dwell_seconds": 2.5}, event_id="7")
    examples = joined([query], [event])

    again = events_of(examples)
    queries = [one for one in again if isinstance(one, BehaviorQuery)]
    events = [one for one in again if isinstance(one, BehaviorEvent)]
    assert joined(queries, events) == examples


def test_what_somebody_else_did_in_a_list_stays_somebody_elses() -> None:
    def of_list(lists: list[JoinedList]) -> JoinedList:
        return next(one for one in lists if one.query_id == "q")

    example = of_list(joined([asked("q", "a", "b")], [did("q", "a", shopper="bob", event_id="7")]))
    query, event = events_of([example])
    assert isinstance(query, BehaviorQuery)
    assert isinstance(event, BehaviorEvent)

    assert example.actions[0].by_other
    assert of_list(joined([query], [event])) == example


def test_what_belongs_to_no_list_is_left_out() -> None:
    assert events_of(joined([], [did(None, "a"), did("unknown", "a")])) == []
