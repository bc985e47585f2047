"""A log replayed: each list as it was before it was shown, and what was done then."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.join_settings import JoinSettings
from feedback.joining import ClickJoin
from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.traffic import TrafficSettings
from feedback.updating import ProfileUpdater
from learning.ranked_lists import ObservedList
from learning.replay import LoopSettings, Replay, candidates_of
from ranking.feature_settings import (
    AffinityFeature,
    CoClickFeature,
    ContextFeature,
    HistoryFeature,
    NumberFeature,
    RateFeature,
    SeenFeature,
)
from ranking.features import DeclaredFeatures
from ranking.product_table import declared_table
from ranking.rankers import Candidate, Numbers, Situation
from tests.unit.feedback.behavior import START, asked, did, moment
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.feedback import JoinedList
from topics.shop_log import LoggedEvent

FEATURES = (
    RateFeature(name="rate", half_life_hours=24),
    HistoryFeature(name="history"),
    SeenFeature(name="seen"),
    AffinityFeature(name="brand", field="brand"),
    NumberFeature(name="price", field="price"),
    CoClickFeature(name="co_clicks"),
    ContextFeature(name="daypart", of="daypart"),
    ContextFeature(name="place", of="place"),
)
CONTEXTS = ({"daypart": "morning", "place": "Ulm"}, {"daypart": "evening"}, {})
LOOP = LoopSettings(FEATURES)
BRANDS = {"a": "ada", "b": "ada", "c": "bob", "d": "bob", "e": "cy", "f": "ada"}


def product(name: str, price: float) -> Product:
    return Product(id=name, updated_at=moment(0), title=name, price=price, currency="EUR", brand=BRANDS[name])


def shop_log() -> list[LoggedEvent]:
    rng = np.random.default_rng(0)
    log: list[LoggedEvent] = [product(name, place) for place, name in enumerate(BRANDS, start=1)]
    for number in range(30):
        shown = rng.permutation(list(BRANDS))[:4].tolist()
        at, shopper = 100.0 * number, f"s{number % 3}"
        log.append(asked(f"q{number}", *shown, at=at, shopper=shopper, context=CONTEXTS[number % 3]))
        log += [
            did(f"q{number}", name, at=at + 9 + 9 * place, shopper=shopper, event_id=f"{number}-{place}")
            for place, name in enumerate(shown[: rng.integers(0, 4)])
        ]
    return log


LOG = shop_log()


def replayed(*batches: Iterable[LoggedEvent], loop: LoopSettings = LOOP) -> list[ObservedList]:
    replay = Replay(loop)
    for batch in batches:
        replay.run(batch)
    return replay.lists()


def assert_equal(one: Sequence[ObservedList], other: Sequence[ObservedList]) -> None:
    assert [each.query_id for each in one] == [each.query_id for each in other]
    for left, right in zip(one, other, strict=True):
        assert (left.shopper, left.number, left.input.candidates) == (
            right.shopper,
            right.number,
            right.input.candidates,
        )
        np.testing.assert_allclose(left.input.values, right.input.values, rtol=1e-5)
        np.testing.assert_allclose(left.input.recent_weights, right.input.recent_weights, rtol=1e-5)
        assert left.gains.tolist() == right.gains.tolist()


WHOLE = replayed(LOG)


def test_a_list_is_seen_as_it_was_before_anything_was_done_with_it() -> None:
    first, second, *_ = replayed(
        [asked("q1", "a", "b"), did("q1", "a"), asked("q2", "a", "b", at=20), did("q2", "b", at=30)]
    )
    seen = FEATURES.index(SeenFeature(name="seen"))

    assert first.input.values[:, seen].tolist() == [0, 0]
    assert first.gains.tolist() == [1, 0]
    assert second.input.values[0, seen] > 0 > second.input.values[1, seen]
    assert second.gains.tolist() == [0, 1]
    assert [first.number, second.number] == [1, 2]


def test_lists_of_nobody_are_no_lists_of_one_shopper() -> None:
    lists = replayed([asked(f"q{at}", "a", "b", at=at, shopper=None, session=None) for at in range(3)])

    assert [one.number for one in lists] == [0, 0, 0]


def test_the_best_that_was_done_with_a_product_counts() -> None:
    log = [asked("q", "a", "b", "c"), did("q", "a"), did("q", "a", 11, "purchase"), did("q", "b", 12, "hide")]

    assert replayed(log)[0].gains.tolist() == [3, 0, 0]


def test_equal_logs_give_equal_lists() -> None:
    assert_equal(replayed(LOG), WHOLE)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, len(LOG)), max_size=5).map(sorted))
def test_it_does_not_matter_in_which_batches_the_log_comes(cuts: list[int]) -> None:
    edges = [0, *cuts, len(LOG)]
    assert_equal(replayed(*[LOG[start:end] for start, end in pairwise(edges)]), WHOLE)


@pytest.mark.parametrize("place", [0, 7, 19])
def test_what_comes_later_changes_nothing_of_what_was_seen(place: int) -> None:
    cut = next(number for number, event in enumerate(LOG) if event is QUERIES[place]) + 1
    early = replayed(LOG[:cut])

    np.testing.assert_array_equal(early[-1].input.values, WHOLE[place].input.values)
    np.testing.assert_array_equal(early[-1].input.recent_weights, WHOLE[place].input.recent_weights)


QUERIES = [event for event in LOG if isinstance(event, BehaviorQuery)]


def test_a_store_that_was_filled_live_gives_the_same_inputs() -> None:
    """Event by event, by the parts that the click loop and the server run."""
    profiles, now = ProfileSettings(), [START]
    store = MemoryStore()
    join = ClickJoin(store, JoinSettings(), TrafficSettings(), lambda: now[0])
    updater = ProfileUpdater(store, profiles, lambda: now[0])
    table = declared_table(FEATURES)
    table.learn(event.model_dump(mode="json") for event in LOG if isinstance(event, Product))
    features = DeclaredFeatures(FEATURES, table, StateReader(store, profiles))
    seen: dict[str, Numbers] = {}
    for event in LOG:
        if isinstance(event, Product):
            continue
        now[0] = event.timestamp.timestamp()
        if isinstance(event, BehaviorQuery):
            context = event.query_attributes.context
            situation = Situation(now[0], event.actor, event.session_id or "", event.user_query, context=context)
            listed = [Candidate(name, place) for place, name in enumerate(event.query_response_hit_ids, start=1)]
            seen[event.query_id] = features.input(situation, listed).values
        joined = join.join(*(([event], []) if isinstance(event, BehaviorQuery) else ([], [event])))
        updater.apply([JoinedList.model_validate_json(message) for _, message in joined.messages])

    assert list(seen) == [each.query_id for each in WHOLE]
    for each in WHOLE:
        np.testing.assert_allclose(seen[each.query_id], each.input.values, rtol=1e-5)


def test_lists_of_whoever_is_no_shopper_are_left_out() -> None:
    flood = [did("q", "a", at=10 + 0.01 * n, event_id=f"{n}") for n in range(20)]

    assert replayed([asked("q", "a", "b"), *flood, asked("q2", "a", shopper="ben")])[0].query_id == "q2"


def test_vectors_are_those_that_products_had_then() -> None:
    def vectors(products: Sequence[Product]) -> Mapping[str, Numbers]:
        return {one.id: np.array([one.price or 0, 1], np.float32) for one in products}

    replay = Replay(LOOP, vectors)
    replay.run([asked("q0", "a"), product("a", 2), asked("q1", "a", at=5), product("a", 3), asked("q2", "a", at=9)])

    assert [each.input.vectors.tolist() for each in replay.lists()] == [[[]], [[2, 1]], [[3, 1]]]


def test_candidates_stand_where_the_search_had_placed_them() -> None:
    query = asked("q", "a", "b", retrieval_positions=(2, 1), retrieval_scores=(0.5, 0.9))
    assert candidates_of(query) == [Candidate("a", 2, 0.5), Candidate("b", 1, 0.9)]

    assert candidates_of(asked("q", "a", "b", positions=(5, 7))) == [Candidate("a", 5), Candidate("b", 7)]
    assert candidates_of(asked("q")) == []


def test_the_chances_that_were_logged_are_known_of_a_list() -> None:
    drawn, plain = replayed([asked("q", "a", "b", propensities=(0.5, 1)), asked("q2", "a", "b", at=20)])

    assert drawn.propensities is not None
    assert drawn.propensities.tolist() == [0.5, 1]
    assert plain.propensities is None


def test_a_query_without_hits_and_events_without_a_query_are_no_trouble() -> None:
    log: list[BehaviorEvent | BehaviorQuery] = [asked("q1"), did(None, "a"), did("q9", "a"), asked("q2", "a", at=99)]

    assert [len(each.gains) for each in replayed(log)] == [0, 1]
