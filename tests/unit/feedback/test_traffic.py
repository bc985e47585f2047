"""Who behaves like no shopper is recognized, and who does not is left alone."""

from collections.abc import Sequence

import pytest

from feedback.memory_store import MemoryStore
from tests.unit.feedback.behavior import HOUR, START, asked, click_join, did, lists_of
from topics.behavior import BehaviorEvent, BehaviorQuery

RULES = {
    "burst_clicks": 4,
    "burst_seconds": 1,
    "rate_seconds": 100,
    "rate_clicks": 8,
    "rate_queries": 8,
    "hammer_clicks": 6,
    "hammer_seconds": 1_000,
    "suspect_hours": 1,
}


def apart(batch: Sequence[BehaviorQuery | BehaviorEvent]) -> tuple[list[BehaviorQuery], list[BehaviorEvent]]:
    return (
        [said for said in batch if isinstance(said, BehaviorQuery)],
        [said for said in batch if isinstance(said, BehaviorEvent)],
    )


def clicks(*times: float, product: str = "", action: str = "click") -> list[BehaviorEvent]:
    return [did("q", product or f"p{number}", at, action) for number, at in enumerate(times)]


def in_one_list(times: Sequence[float], product: str = "") -> list[BehaviorEvent]:
    return [did("q", product or f"p{number}", at, event_id=f"e{number}") for number, at in enumerate(times)]


def in_lists(times: Sequence[float], product: str = "") -> list[BehaviorEvent]:
    """One in each."""
    return [did(f"q{number}", product or f"p{number}", at) for number, at in enumerate(times)]


@pytest.mark.parametrize(
    ("events", "suspicion"),
    [
        (clicks(0, 0.2, 0.4, 0.6), "burst"),
        (clicks(0, 0.2, 0.4, 1.6), ""),
        (clicks(*range(0, 80, 10)), "click_rate"),
        (clicks(*range(0, 160, 20)), ""),
        (clicks(*range(0, 600, 100), product="a"), "hammering"),
        (clicks(*range(0, 1_500, 250), product="a"), ""),
        (clicks(*[1.0] * 40, action="impression"), ""),
        (clicks(*[1.0] * 40, action="purchase"), ""),
        (clicks(*range(0, 600, 100), product="a", action="purchase"), "hammering"),
        (clicks(*range(0, 600, 100), product="a", action="add_to_cart"), "hammering"),
        (clicks(*range(0, 1_500, 250), product="a", action="purchase"), ""),
        (clicks(*range(0, 1_000, 10), product="a", action="dwell"), ""),
        (clicks(0, 0.2, 0.4) + clicks(0.1, 0.3, 0.5, action="purchase"), ""),
    ],
)
def test_a_rule_that_is_broken_makes_the_list_suspect(events: list[BehaviorEvent], suspicion: str) -> None:
    for batches in ([events], [[event] for event in events]):
        join = click_join(rules=RULES)
        lists = lists_of([join.join([], batch) for batch in batches])

        assert lists["q"].suspect == suspicion


@pytest.mark.parametrize(
    ("events", "suspicion"),
    [
        (in_one_list([0.5] * 7), ""),
        (in_lists([0.5] * 4), "burst"),
        (in_one_list([0.5] * 8), "click_rate"),
        (in_one_list([0.5] * 6, product="a"), "hammering"),
        (in_lists([7] * 4), "burst"),
        (in_lists([7, 7, 8, 8]), ""),
        (in_lists([20] * 7), ""),
        (in_lists([20] * 4 + [20.5]), "burst"),
        (in_lists([20] * 8), "click_rate"),
        (in_lists([20] * 6, product="a"), "hammering"),
    ],
)
def test_equal_times_say_no_more_than_the_clock_that_gave_them(events: list[BehaviorEvent], suspicion: str) -> None:
    """At 20 it is a whole minute, in which many lists may be looked at; in a second it is not."""
    for batches in ([events], [[event] for event in events]):
        join = click_join(rules=RULES)

        assert {one.suspect for one in lists_of([join.join([], batch) for batch in batches]).values()} == {suspicion}


def test_many_queries_in_a_short_time_are_no_shopper() -> None:
    join = click_join(rules=RULES)
    lists = lists_of([join.join([asked(f"q{number}", "a", at=number)], []) for number in range(8)])

    assert {one.suspect for one in lists.values()} == {"query_rate"}


def test_a_repeat_is_no_second_click() -> None:
    join = click_join(rules=RULES)
    (event,) = clicks(0)

    assert not any(lists_of([join.join([], [event] * 10)])["q"].suspect for _ in range(10))


def test_lists_of_before_the_suspicion_are_told_again_as_suspect() -> None:
    join = click_join(rules=RULES)
    before = join.join([asked("q1", "a"), asked("q2", "a")], [did("q2", "not shown", 1)])
    flood = join.join([], [did("q3", "a", 2 + number / 10) for number in range(4)])
    lists = lists_of([before, flood])

    assert len(lists) == 4
    assert {one.suspect for one in lists.values()} == {"burst"}
    assert flood.suspicions == {"burst": 1}


def test_they_are_told_until_the_broker_has_them_and_then_no_more() -> None:
    """A process that ends before that reads the same batch again."""
    join = click_join(rules=RULES)
    join.join([asked("q1", "a")], [])
    flood = [did("q3", "a", 2 + number / 10) for number in range(4)]
    first, again = join.join([], flood), join.join([], flood)
    join.settle(again.exposed)
    settled = join.join([], flood)

    assert first.messages == again.messages
    assert [set(lists_of([told])) for told in (again, settled)] == [{"q1", "q3"}, {"q3"}]
    assert (first.exposed, settled.exposed) == (["ann"], [])


def test_only_so_many_lists_are_remembered() -> None:
    join = click_join(rules={**RULES, "remembered_lists": 2})
    told = [join.join([asked(f"q{number}", "a", at=number * HOUR)], []) for number in range(4)]
    told.append(join.join([], [did("q3", f"p{number}", 3 * HOUR + number / 10) for number in range(4)]))

    assert {id_: one.suspect for id_, one in lists_of(told).items() if id_.startswith("q")} == {
        "q0": "",
        "q1": "",
        "q2": "burst",
        "q3": "burst",
    }


def test_a_suspicion_ends_some_time_after_the_last_offence() -> None:
    join = click_join(rules=RULES)
    join.join([], clicks(0, 0.1, 0.2, 0.3))
    lists = lists_of(join.join([asked(f"q{at}", "a", at=at)], []) for at in (HOUR - 60, HOUR + 60))

    assert [one.suspect for one in lists.values()] == ["burst", ""]


def test_others_are_not_suspect_for_it() -> None:
    lists = lists_of([click_join(rules=RULES).join([asked("mine", "a", shopper="bob")], clicks(0, 0.1, 0.2, 0.3))])

    assert (lists["mine"].suspect, lists["q"].suspect) == ("", "burst")


def test_a_shopper_of_the_morning_is_no_bot_by_the_rules_as_shipped() -> None:
    """Forty lists in two hours, each with 24 impressions, some clicks and a purchase."""
    join = click_join()
    for number in range(40):
        at = number * 180.0
        shown = [f"p{number}-{place}" for place in range(24)]
        seen = [did(f"q{number}", product, at + 2, "impression") for product in shown]
        opened = [did(f"q{number}", product, at + 5 + 4 * place) for place, product in enumerate(shown[:6])]
        bought = [did(f"q{number}", product, at + 60, "purchase") for product in shown[:12]]
        joined = join.join([asked(f"q{number}", *shown, at=at)], seen + opened + bought)
        assert not joined.suspicions


def test_a_flood_upon_the_list_of_somebody_else_is_one_wherever_the_name_stands() -> None:
    """The list and what was before it, in one batch or in many, before the query or after it."""
    query, flood = asked("q", "a", "p0"), [did("q", f"p{number}", number / 10, shopper="bob") for number in range(4)]
    before = [did("earlier", "a", shopper="bob")]
    orders = [[*before, query, *flood], [*before, *flood, query]]
    for order in orders:
        for batches in ([order], [[said] for said in order]):
            join = click_join(rules=RULES)
            told = [join.join(*apart(batch)) for batch in batches]

            lists = lists_of(told)
            assert {one.suspect for one in lists.values()} == {"burst"}
            assert {*lists} >= {"q", "earlier"}


def test_a_click_far_ahead_of_the_clock_hides_no_flood() -> None:
    join = click_join(rules=RULES, now=START + 60)
    ahead = [did("q", "a", 10 * 8_766 * HOUR), did("q", "a", 400)]
    told = [join.join([], batch) for batch in (ahead, [], clicks(0, 0.2, 0.4, 0.6))]

    assert lists_of(told)["q"].suspect == "burst"


def test_purchases_of_many_products_hide_no_click() -> None:
    join = click_join(rules=RULES)
    bundle = [did("q", f"p{number}", 5, "purchase") for number in range(40)]
    told = [join.join([], batch) for batch in (clicks(0, 0.2, 0.4), bundle, [did("q", "p9", 0.6)])]

    assert lists_of(told)["q"].suspect == "burst"


def test_what_is_remembered_of_a_busy_bot_stays_small() -> None:
    store = MemoryStore()
    join = click_join(store)
    for minute in range(40):
        join.join([], [did(f"q{minute}", f"p{number}", minute * 60 + number / 2) for number in range(100)])
    (traffic,) = store.read(["traffic:ann"])

    assert traffic is not None
    assert len(traffic) < 60_000
