"""What trends: actions that fade with the time since they happened."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.base import Filter, Tombstone
from index.memory import MemoryIndex
from ranking.settings import TrendingSettings
from ranking.trending import Counted, Trending
from ranking.trending_products import TrendingProducts
from topics.behavior import BehaviorEvent

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def event(product: str | None, action: str = "click", ago: timedelta = timedelta(), who: str = "") -> BehaviorEvent:
    thing: dict[str, Any] = {"event_attributes": {"object": {"object_id": product}}} if product else {}
    return BehaviorEvent.model_validate(
        {"action_name": action, "timestamp": NOW - ago, "session_id": who or None, **thing}
    )


def counted(events: Sequence[BehaviorEvent], **settings: Any) -> Trending:
    trending = Trending(TrendingSettings(**settings))
    for one in events:
        trending.count(one, NOW)
    return trending


def scores(trending: Trending, now: datetime = NOW) -> dict[str, float]:
    return {trend.product_id: trend.score for trend in trending.top(now, 1_000)}


def test_an_action_counts_half_after_the_half_life_by_its_own_time() -> None:
    trending = counted([event("old", ago=24 * HOUR), event("new")])
    assert scores(trending) == pytest.approx({"new": 1.0, "old": 0.5})
    assert scores(trending, NOW + 24 * HOUR) == pytest.approx({"new": 0.5, "old": 0.25})


def test_a_purchase_counts_more_than_a_click_and_the_parts_are_told() -> None:
    trending = counted([event("a"), event("b", "purchase"), event("b", "click", 24 * HOUR), event("c", "impression")])
    first, second = trending.top(NOW, 10)
    assert (first.product_id, second.product_id) == ("b", "a")
    assert first.actions == pytest.approx({"purchase": 5.0, "click": 0.5})
    assert first.score == pytest.approx(5.5)


@given(
    events=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["click", "purchase"]), st.integers(0, 300_000)), max_size=30
    ).flatmap(lambda made: st.tuples(st.just(made), st.permutations(made)))
)
def test_the_order_in_which_events_come_changes_nothing(events: Any) -> None:
    def of(drawn: Sequence[tuple[str, str, int]]) -> dict[str, float]:
        """Each by somebody else: whose action counts once would depend on the order."""
        made = [event(product, action, timedelta(seconds=ago)) for product, action, ago in dict.fromkeys(drawn)]
        return scores(counted(made))

    assert of(events[0]) == pytest.approx(of(events[1]))


def test_somebody_who_clicks_on_and_on_counts_once_a_day() -> None:
    trending = Trending(TrendingSettings())
    outcomes = [trending.count(event("a", ago=minutes * HOUR / 60, who="s-1"), NOW) for minutes in range(30)]
    assert outcomes == [Counted.COUNTED] + [Counted.REPEATED] * 29
    assert trending.count(event("a", ago=13 * HOUR, who="s-1"), NOW) is Counted.COUNTED
    assert trending.count(event("a", who="s-2"), NOW) is Counted.COUNTED
    assert trending.count(event("a", "purchase", who="s-1"), NOW) is Counted.COUNTED


@pytest.mark.parametrize(
    ("left_out", "why"),
    [
        (event("a", ago=-10 * HOUR), Counted.FROM_THE_FUTURE),
        (event("a", ago=300 * HOUR), Counted.FADED),
        (event("a", "impression"), Counted.OTHER_ACTION),
        (event(None), Counted.OTHER_ACTION),
    ],
    ids=lambda value: str(value) if isinstance(value, Counted) else "",
)
def test_what_does_not_count_says_why(left_out: BehaviorEvent, why: Counted) -> None:
    trending = Trending(TrendingSettings())
    assert trending.count(left_out, NOW) is why
    assert scores(trending) == {}


def test_products_that_nobody_turns_to_any_more_are_forgotten() -> None:
    trending = counted([event("long-ago")])
    later = NOW + timedelta(days=30)
    for number in range(10_000):
        trending.count(BehaviorEvent.model_validate({**_click(f"p{number % 50}"), "timestamp": later}), later)
        trending.count(BehaviorEvent.model_validate({**_click("p", f"s{number}"), "timestamp": later}), later)
    assert "long-ago" not in scores(trending, later)
    assert "p" in scores(trending, later)


def test_long_after_the_last_event_sums_are_as_right_as_before() -> None:
    trending = counted([event("a")], half_life_hours=0.01)
    later = NOW + timedelta(days=30)
    assert scores(trending, later) == {"a": 0.0}
    trending.count(BehaviorEvent.model_validate({**_click("b"), "timestamp": later}), later)
    assert scores(trending, later) == {"b": 1.0}


def test_before_the_first_event_nothing_trends() -> None:
    assert scores(counted([])) == {}


def _click(product: str, who: str | None = None) -> dict[str, Any]:
    return {"action_name": "click", "session_id": who, "event_attributes": {"object": {"object_id": product}}}


def test_products_that_are_gone_or_filtered_out_leave_their_place_to_others(index: MemoryIndex) -> None:
    clicks = [event(product, who=str(number)) for product, most in (("dress", 9), ("shirt", 5), ("lamp", 3), ("?", 7))
              for number in range(most)]  # fmt: skip
    products = TrendingProducts(index, counted(clicks))
    assert [hit.trend.product_id for hit in products.find(NOW, 10)] == ["dress", "shirt", "lamp"]
    assert [hit.trend.product_id for hit in products.find(NOW, 1)] == ["dress"]
    cheap = products.find(NOW, 10, [Filter("price", at_most=40)])
    assert [(hit.position, hit.trend.product_id, hit.document["id"]) for hit in cheap] == [
        (1, "shirt", "shirt"),
        (2, "lamp", "lamp"),
    ]
    assert "?" not in scores(products.trending)
    index.apply([Tombstone("dress", 2**60)])
    assert products.find(NOW, 1)[0].trend.product_id == "shirt"
