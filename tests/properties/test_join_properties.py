"""The join of some lists is the same in whatever order, batches and repetitions their records come."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feedback import join, traffic
from feedback.join import Action, OpenList, ShownList
from feedback.traffic import Act, Traffic
from tests.unit.feedback.behavior import HOUR, asked, click_join, did, lists_of
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.feedback import JoinedList

LIST_IDS = ("q1", "q2", "q3")
PRODUCTS = ("a", "b", "c")
SHOPPERS = ("ann", "bob", None)
TIMES = (0.0, 10.0, 24 * HOUR, 24 * HOUR + 1)

queries = st.builds(
    lambda query_id, shown, shopper: asked(query_id, *shown, shopper=shopper),
    st.sampled_from(LIST_IDS),
    st.lists(st.sampled_from(PRODUCTS), unique=True),
    st.sampled_from(SHOPPERS),
)
events = st.builds(
    lambda query_id, product, at, shopper, number: did(
        query_id, product, at, shopper=shopper, **({"event_id": f"{product} {at} {shopper} {number}"} if number else {})
    ),
    st.sampled_from((*LIST_IDS, None)),
    st.sampled_from(PRODUCTS),
    st.sampled_from(TIMES),
    st.sampled_from(SHOPPERS),
    st.integers(0, 2),
)
Said = BehaviorQuery | BehaviorEvent


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Said], list[list[Said]]]:
    """What was said, and the same in some order, with repeats, cut into batches."""
    one_query_each = st.lists(queries, max_size=3, unique_by=lambda query: query.query_id)
    said: list[Said] = [*draw(one_query_each), *draw(st.lists(events, max_size=8))]
    if not said:
        return said, []
    arriving = draw(st.permutations(said + draw(st.lists(st.sampled_from(said), max_size=6))))
    cuts = sorted(draw(st.lists(st.integers(0, len(arriving)), max_size=4)))
    bounds = zip([0, *cuts], [*cuts, len(arriving)], strict=True)
    return said, [list(arriving[start:end]) for start, end in bounds]


def apart(batch: Sequence[Said]) -> tuple[list[BehaviorQuery], list[BehaviorEvent]]:
    return (
        [said for said in batch if isinstance(said, BehaviorQuery)],
        [said for said in batch if isinstance(said, BehaviorEvent)],
    )


def joined_in_batches(batches: Sequence[Sequence[Said]], **options: Any) -> dict[str, JoinedList]:
    joining = click_join(**options)
    return lists_of([joining.join(*apart(batch)) for batch in batches])


@given(histories())
def test_order_batches_and_repeats_change_nothing(history: tuple[list[Said], list[list[Said]]]) -> None:
    said, batches = history

    assert joined_in_batches(batches) == joined_in_batches([said])


@given(histories())
def test_a_flood_gives_the_same_lists_too(history: tuple[list[Said], list[list[Said]]]) -> None:
    """But for what was told as lists of their own before it was one."""
    said, batches = history
    flooded = joined_in_batches(batches, settings={"max_actions": 2})
    at_once = joined_in_batches([said], settings={"max_actions": 2})

    assert {id_: flooded[id_] for id_ in LIST_IDS if id_ in flooded} == {
        id_: at_once[id_] for id_ in LIST_IDS if id_ in at_once
    }


texts = st.text(max_size=5)
numbers = st.floats(allow_nan=False, allow_infinity=False)
shown_lists = st.builds(
    ShownList, numbers, texts, texts, texts, texts, texts, texts, st.dictionaries(texts, texts, max_size=2),
    st.dictionaries(texts, texts, max_size=2), st.lists(st.fixed_dictionaries({"product_id": texts}), max_size=3),
)  # fmt: skip
actions = st.builds(Action, numbers, texts, texts, st.none() | numbers, texts, texts)


@given(st.builds(OpenList, st.none() | shown_lists, st.dictionaries(texts, actions, max_size=3), texts, st.booleans()))
def test_the_state_of_a_list_is_read_as_it_was_written(known: OpenList) -> None:
    assert join.decode(join.encode(known)) == known


acts = st.builds(Act, numbers, texts, st.integers(0, 2**32 - 1))


@given(st.builds(Traffic, st.dictionaries(texts, acts, max_size=3), st.lists(texts), texts))
def test_what_is_remembered_of_a_shopper_is_read_as_it_was_written(seen: Traffic) -> None:
    assert traffic.decode(traffic.encode(seen)) == seen
