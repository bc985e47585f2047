"""Counts of lists: the same in whatever order, batches and repetitions their revisions come."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings

from feedback.applying import apply_lists
from feedback.contexts import Daypart, place_class
from feedback.memory_store import MemoryStore
from feedback.profiles import EMPTY_PROFILE, Profile
from feedback.reading import Asked, StateReader
from feedback.settings import ProfileSettings
from feedback.shopper_state import ShopperState
from feedback.statistics import Counter
from tests.unit.feedback.deliveries import CONTEXTS, PRODUCTS, deliveries
from tests.unit.feedback.lists import HOUR, NOW, joined, revisions
from topics.feedback import JoinedList

SETTINGS = ProfileSettings(kind="memory")
LATER = NOW + 10 * HOUR


def applied(*batches: Sequence[JoinedList], store: MemoryStore | None = None, **options: Any) -> MemoryStore:
    store = store or MemoryStore()
    for batch in batches:
        apply_lists(store, batch, SETTINGS, LATER, **options)
    return store


def state(store: MemoryStore, products: str, shopper: str = "ann", text: str = "lamp") -> ShopperState:
    return StateReader(store, SETTINGS).read(shopper, list(products), text, LATER)


def at_place(store: MemoryStore, products: str, place: str) -> ShopperState:
    asked = Asked(list(products), place=place_class({"place": place}))
    return StateReader(store, SETTINGS).read_beside(EMPTY_PROFILE, asked, LATER)


def totals(store: MemoryStore, products: str) -> list[list[int]]:
    """Impressions, clicks, add_to_carts and purchases of each product."""
    return state(store, products).products.totals.tolist()


def test_all_that_was_shown_counts_once_and_so_does_each_kind_of_action() -> None:
    one = joined("q", "abc", ("click", "b", 1), ("click", "b", 2), ("add_to_cart", "b", 3), ("purchase", "b", 4))
    store = applied([one])
    assert totals(store, "abcd") == [[1, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert state(store, "").shop.totals.tolist() == [[3, 1, 1, 1]]


def test_many_small_posts_count_no_impression_twice() -> None:
    one = joined("q", "abc", *[("impression", product, 1.0) for product in "abcabc"], ("click", "a", 2))
    store = applied(*[[revision] for revision in revisions(one)])
    assert totals(store, "abc") == [[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]


def test_where_the_page_reports_what_was_seen_only_that_was_seen() -> None:
    store = applied([joined("q", "abcd", ("impression", "a", 1), ("impression", "x", 1), ("click", "c", 2))])
    assert totals(store, "abcdx") == [[1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_list_that_becomes_suspect_is_taken_back() -> None:
    one = joined("q", "abc", ("click", "b", 1), ("purchase", "c", 2))
    store = applied([joined("other", "ab", ("click", "a", 5), session="s-2")])
    before = dict(zip(store.keys("product"), store.read(list(store.keys("product"))), strict=True))
    applied([one], [one.model_copy(update={"suspect": "too fast", "revision": 9})], store=store)
    assert totals(store, "abc") == [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert before.keys() == set(store.keys("product"))
    assert state(store, "").profile.bought == {}
    assert list(store.keys("co_clicks")) == []


def test_what_is_done_upon_no_list_changes_no_rate_and_a_profile() -> None:
    acts = [("impression", "a", 1.0), ("click", "a", 2.0), ("add_to_cart", "b", 3.0), ("purchase", "b", 4.0)]
    alone = joined("event-1", "", *acts, at=None, text="")
    store = applied([joined("q", "ab", session="s-2"), alone], revisions(alone))
    assert totals(store, "ab") == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert state(store, "").shop.totals.tolist() == [[2, 0, 0, 0]]
    assert state(store, "").profile.recent(9).product_ids == ["b", "b", "a"]
    assert StateReader(store, SETTINGS).co_clicked(["a"], LATER)[0].keys() == {"b"}


def test_what_is_done_upon_what_the_list_did_not_show_changes_no_rate() -> None:
    store = applied([joined("q", "a", ("click", "a", 1), ("click", "b", 2), ("impression", "b", 2))])
    assert totals(store, "ab") == [[1, 1, 0, 0], [0, 0, 0, 0]]


def test_clicks_of_nobody_upon_no_list_leave_no_count() -> None:
    clicks = [joined(f"event-{number}", "", ("click", "a", 1), at=None, shopper="") for number in range(9)]
    assert set(applied(clicks).keys("product")) == set()


def test_what_is_ahead_of_the_clock_waits_until_its_time() -> None:
    store = MemoryStore()
    one = joined("q", "ab", ("click", "a", 1), ("click", "b", 30 * HOUR))
    counted = apply_lists(store, [one], SETTINGS, LATER)
    assert counted.left_out == {"from_the_future": 1}
    assert totals(store, "ab") == [[1, 1, 0, 0], [1, 0, 0, 0]]
    apply_lists(store, [one], SETTINGS, NOW + 31 * HOUR)
    assert totals(store, "ab") == [[1, 1, 0, 0], [1, 1, 0, 0]]


def test_lists_of_a_machine_are_bounded_and_those_beyond_name_nobody() -> None:
    bounded, store = ProfileSettings(kind="memory", remembered_lists=3), MemoryStore()
    lists = [joined(f"q{number}", "ab", ("click", "a", 1)) for number in range(5)]
    apply_lists(store, lists[:2], bounded, LATER)
    apply_lists(store, lists[2:], bounded, LATER)
    apply_lists(store, [lists[0].model_copy(update={"revision": 9, "actions": ()})], bounded, LATER)

    assert orjson.loads(store.read(["lists:ann"])[0] or b"").keys() == {"q0", "q1", "q2"}
    assert not [key for key in ("counted:q3", "counted:q4") if b"ann" in (store.read([key])[0] or b"")]
    assert totals(store, "ab") == [[5, 4, 0, 0], [5, 0, 0, 0]]
    assert state(store, "").profile.recent(9).product_ids == ["a", "a"]


def test_after_those_that_are_remembered_expired_others_are() -> None:
    bounded, store = ProfileSettings(kind="memory", remembered_lists=1), MemoryStore()
    apply_lists(store, [joined("q0", "a", ("click", "a", 1))], bounded, LATER)
    later = LATER + 41 * 24 * HOUR
    apply_lists(store, [joined("q1", "a", ("click", "a", 2))], bounded, later)

    assert orjson.loads(store.read(["lists:ann"])[0] or b"").keys() == {"q1"}


def test_the_outcome_of_each_list_is_told() -> None:
    store = MemoryStore()
    one = joined("q", "ab", ("click", "a", 1))
    lists = [*revisions(one), joined("bot", "ab", suspect="too fast")]
    assert apply_lists(store, lists, SETTINGS, LATER).outcomes == {"counted": 1, "suspect": 1, "older": 1}
    assert apply_lists(store, revisions(one)[:1], SETTINGS, LATER).outcomes == {"older": 1}
    assert apply_lists(store, [one], SETTINGS, LATER).outcomes == {"unchanged": 1}
    assert apply_lists(store, [], SETTINGS, LATER).outcomes == {}


def test_a_click_after_the_state_of_its_list_was_forgotten_takes_nothing_back() -> None:
    """The join then knows no query, and counts from one again."""
    known = joined("q", "abc", revision=1)
    after = joined("q", "", *[("click", "a", number) for number in range(5)], at=None, text="")
    store = MemoryStore()
    outcomes = [apply_lists(store, lists, SETTINGS, LATER).outcomes for lists in ([known, after], [known], [after])]

    assert outcomes == [{"counted": 1, "older": 1}, {"unchanged": 1}, {"older": 1}]
    assert totals(store, "abc") == [[1, 0, 0, 0]] * 3
    assert state(store, "").profile.passed_over.product_ids == ["a", "b", "c"]


def test_places_that_are_looked_at_less_count_for_less_of_an_impression() -> None:
    store = applied([joined("q", "abcd")], examination=(1.0, 0.5, 0.25))
    counts = state(store, "abcd").products
    assert counts.column(Counter.EXAMINED).tolist() == [1.0, 0.5, 0.25, 0.25]
    assert counts.column(Counter.IMPRESSIONS).tolist() == [1.0, 1.0, 1.0, 1.0]
    expected = [each * 0.5 ** (10 / 24) for each in (1.0, 0.5, 0.25, 0.25)]
    assert counts.column(Counter.EXAMINED, 0).tolist() == pytest.approx(expected)


def test_a_click_in_a_list_of_many_clicks_is_expected_more() -> None:
    picky = joined("picky", "abcd", ("click", "a", 20))
    free = joined("free", "bcde", ("click", "b", 20), ("click", "c", 20), ("click", "d", 20))
    counts = state(applied([picky, *revisions(free), free]), "abe").products

    assert counts.column(Counter.EXPECTED_CLICKS).tolist() == pytest.approx([0.25, 1.0, 0.75])


def test_counts_fade_by_event_time_with_each_half_life() -> None:
    store = applied([joined("old", "a", at=LATER - 24 * HOUR), joined("new", "a", at=LATER)])
    assert state(store, "a").products.faded[0, :, Counter.IMPRESSIONS].tolist() == pytest.approx(
        [1.5, 1 + 0.5 ** (1 / 30)]
    )


def test_queries_of_the_same_words_are_counted_together_and_others_are_not() -> None:
    store = applied([joined("q1", "ab", ("click", "a", 1), text="Red  LAMP"), joined("q2", "a", text="lamp red")])
    assert state(store, "ab", text="red lamp").of_class.totals.tolist() == [[2, 1, 0, 0], [1, 0, 0, 0]]
    assert state(store, "ab", text="lamp").of_class.totals.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert state(store, "ab", text="").of_class.totals.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_lists_are_counted_by_the_time_of_the_day_and_by_the_place() -> None:
    evening = joined("q1", "ab", ("click", "a", 1), context={"daypart": "evening", "place": "Ulm"})
    store = applied(revisions(evening), [joined("q2", "a", context={"place": " ulm"}), joined("q3", "b")])
    counts = state(store, "ab").products
    assert counts.at_daypart(Daypart.EVENING, Counter.IMPRESSIONS).tolist() == [1, 1]
    assert counts.at_daypart(Daypart.EVENING, Counter.CLICKS).tolist() == [1, 0]
    assert not counts.by_daypart[:, : Daypart.EVENING].any()
    assert at_place(store, "ab", "ULM").at_place.totals.tolist() == [[3, 1, 0, 0], [2, 1, 0, 0], [1, 0, 0, 0]]
    assert not at_place(store, "ab", "Bonn").at_place.totals.any()
    assert not at_place(store, "ab", "").at_place.totals.any()


def test_what_is_chosen_most_in_a_context_fades_and_is_taken_back_where_it_was_a_bot() -> None:
    here, half = {"daypart": "night", "place": "Ulm"}, SETTINGS.co_click_half_life_hours * HOUR
    bot = joined("q2", "ab", ("click", "b", 1), ("purchase", "b", 2), context=here)
    store = applied([joined("q1", "ab", ("click", "a", 1), ("impression", "b", 1), context=here), bot])
    reader = StateReader(store, SETTINGS)
    at_night, in_ulm = reader.chosen(here, NOW + 2)
    assert [*at_night] == [*in_ulm] == ["b", "a"]
    assert at_night["b"] == pytest.approx(2)
    assert reader.chosen({"daypart": "night"}, NOW + 1 + half)[0]["a"] == pytest.approx(0.5)
    applied([bot.model_copy(update={"suspect": "too fast", "revision": 9})], store=store)
    assert [[*chosen] for chosen in reader.chosen(here, NOW + 2)] == [["a"], ["a"]]
    assert reader.chosen({}, NOW) == []


@pytest.mark.parametrize("context", [{"daypart": "noon"}, {"daypart": "", "place": " \t"}, {"device": "phone"}, {}])
def test_a_context_that_is_not_known_counts_with_the_whole_alone(context: dict[str, str]) -> None:
    store = applied([joined("q", "a", ("click", "a", 1), context=context)])
    assert totals(store, "a") == [[1, 1, 0, 0]]
    assert not state(store, "a").products.by_daypart.any()
    assert list(store.keys("place")) == []


def test_whatever_is_sent_as_a_place_the_places_of_a_product_are_a_thousand_at_most() -> None:
    classes = {place_class({"place": f"{number} " * 9}) for number in range(8_000)}
    assert 990 < len(classes) <= 1_000
    assert {len(name) for name in classes} == {1, 2, 3}


@given(deliveries())
@settings(max_examples=40)
def test_order_repetition_and_batches_change_no_count(delivery: Any) -> None:
    lists, batches = delivery
    expected, actual = applied(lists), applied(*batches)
    for shopper in ("ann", "bob"):
        for text in ("lamp", "x"):
            same_state(state(actual, PRODUCTS, shopper, text), state(expected, PRODUCTS, shopper, text))
    for place in ("Ulm", "Bonn"):
        same_state(at_place(actual, PRODUCTS, place), at_place(expected, PRODUCTS, place))
    reader = StateReader(actual, SETTINGS), StateReader(expected, SETTINGS)
    for context in CONTEXTS:
        assert [_rounded(each) for each in reader[0].chosen(context, LATER)] == [
            _rounded(each) for each in reader[1].chosen(context, LATER)
        ]
    assert [_rounded(each) for each in reader[0].co_clicked(list(PRODUCTS), LATER)] == [
        _rounded(each) for each in reader[1].co_clicked(list(PRODUCTS), LATER)
    ]


@given(deliveries())
@settings(max_examples=40)
def test_the_counts_are_those_of_counting_by_hand(delivery: Any) -> None:
    lists, batches = delivery
    store = applied(*batches)
    counted = [one for one in lists if not one.suspect]
    by_hand = Tally(
        (action, product)
        for one in counted
        for action, product in {(action.action, action.product_id) for action in one.actions}
        if action != "impression" and one.at is not None and product in {each.product_id for each in one.shown}
    )
    for product, row in zip(PRODUCTS, totals(store, PRODUCTS), strict=True):
        assert row[1:] == [by_hand[action, product] for action in ("click", "add_to_cart", "purchase")]
        assert row[0] == sum(_was_seen(one, product) for one in counted)
    for place in ("Ulm", "Bonn"):
        there = [one for one in counted if one.context.get("place") == place]
        seen = [sum(_was_seen(one, product) for one in there) for product in PRODUCTS]
        assert at_place(store, PRODUCTS, place).at_place.totals[:, 0].tolist() == [sum(seen), *seen]
    for daypart in Daypart:
        then = [one for one in counted if one.context.get("daypart") == daypart.name.lower()]
        seen = [sum(_was_seen(one, product) for one in then) for product in PRODUCTS]
        assert state(store, PRODUCTS).products.by_daypart[:, daypart, 0].tolist() == seen


def _was_seen(one: JoinedList, product: str) -> bool:
    reported = {action.product_id for action in one.actions if action.action == "impression"}
    shown = {product.product_id for product in one.shown}
    touched = {action.product_id for action in one.actions}
    return one.at is not None and product in shown and (not reported or product in touched)


def same_state(actual: ShopperState, expected: ShopperState) -> None:
    for mine, theirs in zip(
        (actual.shop, actual.products, actual.of_class, actual.at_place),
        (expected.shop, expected.products, expected.of_class, expected.at_place),
        strict=True,
    ):
        assert mine.totals.tolist() == theirs.totals.tolist()
        assert mine.by_daypart.tolist() == theirs.by_daypart.tolist()
        # What was added and taken back in another order may leave the rounding of the last digit.
        np.testing.assert_allclose(mine.weighed, theirs.weighed, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(mine.faded, theirs.faded, rtol=1e-9, atol=1e-12)
    assert _lines(actual.profile) == _lines(expected.profile)


def _lines(profile: Profile) -> list[tuple[object, ...]]:
    records = profile.records
    names = [profile.product_ids[place] for place in records["product"].tolist()]
    columns = [records[name].tolist() for name in ("at", "list", "session", "position", "action")]
    return list(zip(names, *columns, strict=True))


def _rounded(counts: dict[str, float]) -> dict[str, float]:
    return {product: round(count, 6) for product, count in counts.items()}
