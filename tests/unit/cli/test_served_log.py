"""A log as a server would have heard it."""

from datetime import UTC, datetime, timedelta

from cli.served_log import as_heard, example_request, newest_products, without_names
from learning.replay import LoopSettings, Replay
from ranking.feature_settings import PositionFeature
from serving.pseudonyms import Pseudonyms
from serving.rank_models import RankQuery
from serving.shoppers import Askers
from tests.unit.feedback.behavior import asked, did, moment
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product
from topics.shop_log import LoggedEvent

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PSEUDONYMS = Pseudonyms("key")


def product(price: float) -> Product:
    return Product(id="a", updated_at=moment(price), title="Lamp", price=price, currency="EUR")


def replayed(log: list[LoggedEvent]) -> Replay:
    replay = Replay(LoopSettings((PositionFeature(name="position"),)))
    replay.run(log)
    return replay


LOG: list[LoggedEvent] = [
    product(1),
    asked("q1", "a", "b", at=0, shopper="ann"),
    did("q1", "a", at=30, shopper="ann"),
    asked("q2", "a", "b", at=60, shopper="ben"),
    product(2),
    asked(
        "q3",
        *("c", "a", "b"),
        at=90,
        shopper="ann",
        retrieval_positions=(3, 1, 2),
        retrieval_scores=(0.1, 0.9, 0.5),
        context={"place": "Ulm"},
    ),
]


def test_what_happened_last_happened_now_and_all_else_as_long_before() -> None:
    heard = as_heard(LOG, PSEUDONYMS, NOW)
    ago = [NOW - event.timestamp for event in heard if not isinstance(event, Product)]

    assert ago == [timedelta(seconds=seconds) for seconds in (90, 60, 30, 0)]
    assert [event for event in heard if isinstance(event, Product)] == [product(1), product(2)]


def test_people_are_those_that_the_api_makes_of_the_names_in_the_log() -> None:
    actors = [
        event.actor for event in as_heard(LOG, PSEUDONYMS, NOW) if isinstance(event, BehaviorEvent | BehaviorQuery)
    ]
    names = ["ann", "ann", "ben", "ann"]

    askers = Askers(PSEUDONYMS, lambda: NOW, UTC)
    asked_by = [RankQuery(user_id=name, candidates=[{"product_id": "a"}]) for name in names]  # type: ignore[list-item]
    assert actors == [askers.asker(query).shopper for query in asked_by]


def test_whoever_has_no_name_gets_none() -> None:
    [heard] = as_heard([asked("q", "a", shopper=None)], PSEUDONYMS, NOW)

    assert isinstance(heard, BehaviorQuery)
    assert heard.user_id is None


def test_the_example_is_the_last_list_of_whom_most_is_known_as_the_search_had_found_it() -> None:
    request = example_request(LOG, replayed(LOG).lists())

    assert (request["user_id"], request["session_id"], request["text"]) == ("ann", "morning", "lamp")
    assert request["place"] == "Ulm"
    assert [(one["product_id"], one["score"]) for one in request["candidates"]] == [("a", 0.9), ("b", 0.5), ("c", 0.1)]
    assert RankQuery.model_validate(request).explain
    assert "user_id" not in without_names(request)


def test_products_are_as_they_were_at_the_end() -> None:
    assert newest_products(LOG) == [product(2)]
