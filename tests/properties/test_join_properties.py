"""The join of some lists is the same in whatever order, batches and repetitions their records come."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback import join, traffic
from feedback.join import Action, OpenList, ShownList
from feedback.join_batch import Joined
from feedback.memory_store import MemoryStore
from feedback.traffic import Act, Traffic
from tests.unit.feedback.behavior import HOUR, asked, click_join, did, lists_of
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.feedback import JoinedList

LIST_IDS = ("q1", "q2", "q3")
PRODUCTS = ("a", "b", "c")
SHOPPERS = ("ann", "bob", None)
TIMES = (0.0, 10.0, 24 * HOUR, 24 * HOUR + 1, 9_000 * HOUR)  # the last is ahead of the clock

queries = st.builds(
    lambda query_id, shown, shopper, session: asked(query_id, *shown, shopper=shopper, session=session),
    st.sampled_from(LIST_IDS),
    st.lists(st.sampled_from(PRODUCTS), unique=True),
    st.sampled_from(SHOPPERS),
    st.sampled_from(("morning", None)),
)
events = st.builds(
    lambda query_id, product, at, shopper, number: did(
        query_id,
        product,
        at,
        shopper=shopper,
        session_id="morning" if number == 2 else None,
        **({"event_id": f"{product} {at} {shopper} {number}"} if number else {}),
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
    """But for what was told as lists of their own before it was one, and is suspect in the end."""
    said, batches = history
    flooded = joined_in_batches(batches, settings={"max_actions": 2})
    at_once = joined_in_batches([said], settings={"max_actions": 2})

    assert flooded.keys() >= at_once.keys()
    assert {id_: flooded[id_] for id_ in at_once} == at_once
    assert {flooded[id_].suspect for id_ in flooded.keys() - at_once.keys()} <= {"too_many_actions"}


@given(histories(), histories())
@settings(max_examples=25)
def test_after_a_list_was_forgotten_nothing_takes_the_place_of_what_knew_its_query(
    before: tuple[list[Said], list[list[Said]]], after: tuple[list[Said], list[list[Said]]]
) -> None:
    """Events alone may come so late."""
    store = MemoryStore()
    joining = click_join(store)
    told = [joining.join(*apart(batch)) for batch in before[1]]
    store.update(list(store.keys("list")), dict.fromkeys)
    asked_before = {id_: one for id_, one in standing(told).items() if one.at is not None}
    told += [joining.join([], apart(batch)[1]) for batch in after[1]]

    assert {id_: standing(told)[id_] for id_ in asked_before} == asked_before


def standing(joined: Sequence[Joined]) -> dict[str, JoinedList]:
    """What takes the place of all else that was told of each list."""
    told = [JoinedList.model_validate_json(value) for batch in joined for _, value in batch.messages]
    return {one.query_id: one for one in sorted(told, key=lambda one: one.standing)}


texts = st.text(max_size=5)
numbers = st.floats(allow_nan=False, allow_infinity=False)
shown_lists = st.builds(
    ShownList, numbers, texts, texts, texts, texts, texts, texts, st.dictionaries(texts, texts, max_size=2),
    st.dictionaries(texts, texts, max_size=2), st.lists(st.fixed_dictionaries({"product_id": texts}), max_size=3),
)  # fmt: skip
actions = st.builds(Action, numbers, texts, texts, st.none() | numbers, texts, texts)


@given(
    st.builds(
        OpenList,
        st.none() | shown_lists,
        st.dictionaries(texts, actions, max_size=3),
        texts,
        st.booleans(),
        st.lists(texts, max_size=3),
        st.integers(0, 9),
        st.booleans(),
    )
)
def test_the_state_of_a_list_is_read_as_it_was_written(known: OpenList) -> None:
    assert join.decode(join.encode(known)) == known


acts = st.builds(Act, numbers, texts, st.integers(0, 2**32 - 1), texts)


@given(st.builds(Traffic, st.dictionaries(texts, acts, max_size=3), st.lists(texts), texts))
def test_what_is_remembered_of_a_shopper_is_read_as_it_was_written(seen: Traffic) -> None:
    assert traffic.decode(traffic.encode(seen)) == seen
