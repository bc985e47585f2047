"""Simulated shoppers in a shop over real HTTP that orders by taste, or does not."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from demo.shoppers.comparison import compare
from demo.shoppers.learning_curve import LearningCurve
from demo.shoppers.shop_client import SearchResults, ShopClient, ShopUnavailable
from demo.shoppers.simulation import Shop, Simulation, SimulationOptions
from learning.relevance import RelevanceOptions
from tests.unit.demo.fake_shop import OPENING, LearningShop, as_found, by_taste, open_shop
from topics.behavior import BehaviorEvent

SHOPPERS = 8
OPTIONS = SimulationOptions(shoppers=SHOPPERS, sessions=3)
JUDGING = RelevanceOptions(resamples=300)


class Clock:
    def __init__(self) -> None:
        self.now = OPENING

    def __call__(self) -> datetime:
        return self.now


def simulate(url: str, options: SimulationOptions = OPTIONS) -> Simulation:
    with ShopClient(url) as client:
        return run(client, options)


def run(shop: Shop, options: SimulationOptions) -> Simulation:
    clock = Clock()
    simulation = Simulation(shop, options, clock)
    while (due := simulation.next_due) is not None:
        clock.now = max(clock.now, due)
        simulation.act()
    return simulation


def test_an_order_by_taste_shows_as_a_difference_and_an_untouched_one_as_none() -> None:
    differences = []
    for order in (by_taste, as_found):
        with open_shop(order) as (_, url):
            compared = simulate(url).compared
        curve = LearningCurve(SHOPPERS, JUDGING)
        rounds = curve.update(compared)
        overall = compare(compared, JUDGING)
        assert [one.session for one in rounds] == [1, 2, 3]
        assert all(one.comparison.shoppers <= SHOPPERS for one in rounds)
        assert curve.update(compared) == []
        assert overall is not None
        differences.append(overall.difference)

    assert differences[0].low > 0.1
    assert (differences[1].low, differences[1].high) == (0, 0)


def test_the_difference_rises_in_a_shop_that_learns_by_clicks() -> None:
    compared = run(LearningShop(), SimulationOptions(shoppers=20, sessions=12)).compared
    rounds = LearningCurve(20, JUDGING).update(compared)
    first = compare([one for one in compared if one.session <= 3], JUDGING)
    last = compare([one for one in compared if one.session > 9], JUDGING)

    assert len(rounds) == 12
    assert first is not None
    assert last is not None
    assert last.difference.low > 0
    assert last.difference.mean > first.difference.mean + 0.05
    assert abs(last.plain.mean - first.plain.mean) < 0.1


def test_shoppers_act_under_their_names_and_the_comparison_under_none() -> None:
    with open_shop(as_found) as (shop, url):
        simulation = simulate(url)

    own = [query for query in shop.queries if query.get("user_id")]
    control = [query for query in shop.queries if not query.get("user_id")]
    assert len(own) == simulation.searches == SHOPPERS * 3 * 2
    assert len(control) == len(simulation.compared) == SHOPPERS * 3
    assert all(query["track"] is False and "session_id" not in query for query in control)
    assert Counter(query["session_id"] for query in own).most_common()[-1][1] == 2
    assert len({query["session_id"] for query in own}) == SHOPPERS * 3


def test_all_that_happens_is_sent_once_in_batches_and_not_before_it_happens() -> None:
    with open_shop(as_found) as (shop, url):
        simulation = simulate(url)

    events = [BehaviorEvent.model_validate(event) for event in shop.events]
    assert len(events) == simulation.events
    assert simulation.clicks == sum(event.action_name == "click" for event in events) > 0
    assert len({event["event_id"] for event in shop.events}) == len(events)
    assert shop.posts < len(events) / 2
    queries = {f"q-{number}": query for number, query in enumerate(shop.queries, start=1)}
    for event in shop.events:
        assert queries[event["query_id"]]["user_id"] == event["user_id"]
        assert queries[event["query_id"]]["session_id"] == event["session_id"]


def test_equal_seeds_give_equal_shoppers_and_other_seeds_others() -> None:
    runs = []
    for seed in (1, 1, 2):
        with open_shop(as_found) as (shop, url):
            simulate(url, SimulationOptions(shoppers=3, sessions=1, seed=seed))
            runs.append((shop.queries, shop.events))

    assert runs[0] == runs[1] != runs[2]


def test_what_fails_is_done_again_and_nothing_is_lost() -> None:
    options = SimulationOptions(shoppers=3, sessions=2)
    with open_shop(as_found) as (shop, url):
        shop.failing = 10
        simulation = simulate(url, options)

    assert simulation.failed_requests == 10
    assert simulation.searches == 12
    assert len(shop.events) == simulation.events


def test_a_shop_that_stays_out_of_order_ends_the_visits_with_what_it_answered() -> None:
    with open_shop(as_found) as (shop, url):
        shop.failing = 1000
        with pytest.raises(ShopUnavailable, match=r"503.*out of order"):
            simulate(url)


def test_a_shop_that_is_not_there_is_told_with_its_address() -> None:
    with pytest.raises(ShopUnavailable, match=r"http://127\.0\.0\.1:9/ does not answer"):
        simulate("http://127.0.0.1:9")


def test_a_shop_that_answers_something_else_is_told() -> None:
    nameless = open_shop(lambda found, _: [{"no": "id"} for _ in found])
    with nameless as (_, url), pytest.raises(ShopUnavailable, match="not as Millrace does"):
        simulate(url)


class SlowShop(LearningShop):
    """Each search of a shopper takes its time."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        super().__init__()
        self._clock, self._takes = clock, timedelta(seconds=seconds)
        self.asked: list[datetime] = []

    def search(self, text: str, limit: int, user_id: str, session_id: str) -> SearchResults:
        self.asked.append(self._clock.now)
        self._clock.now += self._takes
        return super().search(text, limit, user_id, session_id)


@pytest.mark.parametrize(
    ("takes", "busy_share", "between"),
    [(0.05, 1.0, 0.25), (0.05, 0.1, 0.5), (1.0, 0.1, 10.0), (1.0, 1.0, 1.0)],
    ids=["as asked", "a tenth of the time", "a slow shop", "never more than one at a time"],
)
def test_shoppers_keep_the_pace_that_was_asked_for_as_far_as_the_shop_does(
    takes: float, busy_share: float, between: float
) -> None:
    clock = Clock()
    shop = SlowShop(clock, takes)
    options = SimulationOptions(shoppers=60, sessions_per_second=2, busy_share=busy_share)
    simulation = Simulation(shop, options, clock)
    while len(shop.asked) < 40:
        simulation.act()
        clock.now = max(clock.now, simulation.next_due or clock.now)

    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(shop.asked)]
    assert pauses == pytest.approx([between] * 39)
