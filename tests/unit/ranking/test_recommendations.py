"""Products for one shopper, out of what shoppers did."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.store import StoreUnavailable
from feedback.updating import ProfileUpdater
from index.base import IMAGE_FIELD, TEXT_FIELD, ContentHashes, Filter, ProductRow
from index.documents import document
from index.memory import MemoryIndex
from ranking.availability import Availability
from ranking.features import DeclaredFeatures
from ranking.hand_set import HandSetRanker
from ranking.newest import NewestProducts
from ranking.product_table import declared_table
from ranking.product_vectors import ProductVectors
from ranking.queries import Visit
from ranking.recommendation_settings import RecommendationSettings, SourceWeights
from ranking.recommendation_sources import Sources
from ranking.recommendations import Recommendations, Recommender
from ranking.reranking import NOT_READ, Reranker
from ranking.reranking_settings import RerankingSettings
from ranking.settings import AvailabilityRules, TrendingSettings
from ranking.stock import Stock
from ranking.trending import Trending
from topics.behavior import BehaviorEvent
from topics.events import Product
from topics.feedback import JoinedList, ListAction, ShownProduct

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AT = NOW.timestamp()
DIRECTIONS = {"red dress": 0, "red skirt": 8, "blue dress": 80, "lamp": 180, "desk": 190, "sold out": 5, "new": 270}


class Shop:
    """Products in one plane, the alike ones at like angles; the later in the list, the newer."""

    def __init__(self, store: Any = None, **sources: float) -> None:
        self.index = MemoryIndex(2, 2)
        self.store = store or MemoryStore()
        self.trending = Trending(TrendingSettings())
        settings = ProfileSettings()
        newest, stock = NewestProducts(), Stock()
        for number, (product_id, degrees) in enumerate(DIRECTIONS.items()):
            product = Product(
                id=product_id,
                title=product_id,
                updated_at=NOW - timedelta(days=30 - number),
                availability="out_of_stock" if product_id == "sold out" else "in_stock",
            )
            angle = np.deg2rad(degrees)
            vector = {TEXT_FIELD: np.array([np.cos(angle), np.sin(angle)], np.float32)}
            row = ProductRow(product_id, product.version, document(product), "", ContentHashes(), vector)
            self.index.apply([row])
        newest.learn(self.index.scan())
        stock.learn(self.index.scan())
        reader = StateReader(self.store, settings)
        options = RerankingSettings()
        availability = Availability(AvailabilityRules())
        ranker = HandSetRanker(options.weights)
        table = declared_table(options.features)
        table.learn(self.index.scan())
        features = DeclaredFeatures(options.features, table, reader)
        vectors = ProductVectors(self.index, table, {TEXT_FIELD: 2, IMAGE_FIELD: 2})
        reranker = Reranker(features, ranker, options, availability, stock, Mock())
        recommendations = RecommendationSettings(sources=SourceWeights(**sources))
        asked = Sources(self.index, vectors.of, reader, self.trending, newest)
        self._recommender = Recommender(self.index, asked, reranker, recommendations, availability)
        self._updater = ProfileUpdater(self.store, settings, lambda: AT)
        self._lists = 0

    def visit(
        self,
        shopper: str,
        *products: str,
        action: str = "click",
        age: timedelta = timedelta(hours=1),
        passed_over: tuple[str, ...] = (),
        context: Mapping[str, str] | None = None,
    ) -> None:
        """The shopper acts upon these products, in this order, in one session."""
        self._lists += 1
        at = (NOW - age).timestamp()
        shown = enumerate([*products, *passed_over], 1)
        self._updater.apply(
            [
                JoinedList(
                    query_id=f"q{self._lists}",
                    revision=1,
                    shopper=shopper,
                    session=f"session {self._lists}",
                    at=at,
                    context=dict(context or {}),
                    shown=tuple(ShownProduct(product_id=one, position=place) for place, one in shown),
                    actions=tuple(
                        ListAction(event_id=f"{place}", action=action, product_id=one, at=at + place)
                        for place, one in enumerate(products, 1)
                    ),
                )
            ]
        )

    def find(self, shopper: str, limit: int = 10, filters: tuple[Filter, ...] = (), **context: str) -> Recommendations:
        return self._recommender.find(Visit("q", AT, shopper, context=context, explain=True), limit, filters)


def ids(found: Recommendations) -> list[str]:
    return [one.ranked.candidate.product_id for one in found.products]


def sources(found: Recommendations) -> dict[str, Mapping[str, int]]:
    return {one.ranked.candidate.product_id: one.sources for one in found.products}


def test_whoever_has_done_nothing_gets_what_trends_and_then_what_is_new() -> None:
    shop = Shop()
    event = {"action_name": "purchase", "timestamp": NOW, "event_attributes": {"object": {"object_id": "desk"}}}
    shop.trending.count(BehaviorEvent.model_validate(event), NOW)
    found = shop.find("stranger")
    assert ids(found)[:3] == ["desk", "new", "lamp"], "the newest of the others"
    assert found.products[0].sources == {"trending": 1, "newest": 3}
    assert ids(found)[-1] == "sold out", "what is out of stock comes last"
    assert [one.position for one in found.products] == list(range(1, 8))
    assert ids(Shop().find(""))[:2] == ["new", "desk"]


def test_what_is_like_the_last_clicks_comes_first() -> None:
    shop = Shop()
    shop.visit("ada", "red dress")
    found = shop.find("ada")
    assert ids(found)[0] == "red skirt"
    assert sources(found)["red skirt"]["taste"] == 2, "behind the one that is sold out"
    assert "taste" not in sources(found).get("red dress", {}), "the shopper knows it"
    assert found.products[0].ranked.parts["score"] > 0


def test_newer_clicks_and_weightier_actions_say_more() -> None:
    shop = Shop(co_clicks=0, newest=0, trending=0)
    shop.visit("ada", "red dress", age=timedelta(days=200))
    shop.visit("ada", "lamp", age=timedelta(hours=1))
    assert ids(shop.find("ada"))[0] == "desk"
    shop = Shop(co_clicks=0, newest=0, trending=0)
    shop.visit("bob", "red dress", action="add_to_cart")
    shop.visit("bob", "lamp")
    assert ids(shop.find("bob"))[0] == "red skirt"


def test_what_others_turned_to_in_the_same_session_is_found() -> None:
    shop = Shop(taste=0, newest=0, trending=0)
    for shopper in ("bob", "cyd"):
        shop.visit(shopper, "red dress", "lamp")
    shop.visit("dan", "red dress", "desk")
    shop.visit("ada", "red dress")
    assert ids(shop.find("ada")) == ["lamp", "desk"]
    assert shop.find("ada").products[0].sources == {"co_clicks": 1}


def test_what_was_bought_or_hidden_is_not_recommended() -> None:
    shop = Shop()
    shop.visit("ada", "red dress")
    shop.visit("ada", "red skirt", action="purchase")
    shop.visit("ada", "new", action="hide")
    assert not {"red skirt", "new"} & set(ids(shop.find("ada")))


@pytest.mark.parametrize(
    ("here", "there"), [({"daypart": "morning"}, {"daypart": "evening"}), ({"place": "Ulm"}, {"place": "Bonn"})]
)
def test_what_is_chosen_at_this_time_of_day_or_place_comes_first(here: dict[str, str], there: dict[str, str]) -> None:
    shop = Shop()
    for number in range(10):
        shop.visit(f"here {number}", "lamp", passed_over=("desk", "new"), context=here)
        shop.visit(f"there {number}", "desk", passed_over=("lamp", "new"), context=there)
    assert ids(shop.find("stranger", **here))[0] == "lamp"
    assert ids(shop.find("stranger", **there))[0] == "desk"
    parts = shop.find("stranger", **here).products[0].ranked.parts
    assert parts[next(iter(here))] > 0
    assert ids(shop.find("stranger", place="nowhere")) == ids(shop.find("stranger"))


def test_a_stranger_is_recommended_what_is_chosen_at_the_time_and_the_place() -> None:
    shop = Shop(taste=0, co_clicks=0, trending=0, newest=0)
    for number in range(3):
        shop.visit(f"early {number}", "lamp", context={"daypart": "morning"})
    shop.visit("late", "desk", context={"daypart": "evening", "place": "Ulm"})
    assert sources(shop.find("stranger", daypart="morning")) == {"lamp": {"context": 1}}
    assert sources(shop.find("stranger", daypart="morning", place="Ulm")) == {
        "lamp": {"context": 1},
        "desk": {"context": 2},
    }
    assert ids(shop.find("stranger", daypart="night")) == ids(shop.find("stranger")) == []


def test_filters_hold_for_every_source() -> None:
    shop = Shop()
    shop.visit("ada", "red dress")
    shop.visit("bob", "red dress", "sold out")
    in_stock = Filter("availability", any_of=("in_stock",))
    assert "sold out" in ids(shop.find("ada"))
    assert "sold out" not in ids(shop.find("ada", filters=(in_stock,)))
    assert ids(shop.find("ada", filters=(Filter("id", any_of=("lamp",)),))) == ["lamp"]


def test_no_more_than_asked_for() -> None:
    assert len(shop_of_ada().find("ada", limit=2).products) == 2


def test_a_source_that_cannot_be_asked_is_told_and_the_others_answer() -> None:
    shop = shop_of_ada()
    shop.store.read = Mock(side_effect=StoreUnavailable("redis does not answer"))
    found = shop.find("ada")
    assert ids(found)[0] == "new"
    assert found.notes == [
        "what the shopper turned to cannot be read now",
        "co_clicks was left out: the profile store does not answer now",
        NOT_READ,
    ]


def test_a_product_that_has_no_vector_or_is_gone_is_no_taste() -> None:
    shop = Shop(co_clicks=0, newest=0, trending=0)
    shop.visit("ada", "gone")
    assert ids(shop.find("ada")) == []


def test_the_newest_are_kept_and_no_more_than_a_thousand() -> None:
    newest = NewestProducts()
    newest.learn({"id": f"p{number:05}", "updated_at": f"2026-01-01T00:00:00.{number:05}Z"} for number in range(2_500))
    newest.learn([{"id": "p00000", "updated_at": "2027-01-01T00:00:00Z"}])
    newest.forget(["p02499"])
    assert newest.top(3) == ["p00000", "p02498", "p02497"]
    assert len(newest.top(5_000)) == 1_000


def test_what_is_in_stock_again_is_forgotten() -> None:
    stock = Stock()
    stock.learn([{"id": "a", "availability": "preorder"}, {"id": "b", "availability": "in_stock"}])
    stock.learn([{"id": "c", "availability": "discontinued"}])
    assert stock.availability(["a", "b", "c", "d"]) == ["preorder", "", "discontinued", ""]
    stock.learn([{"id": "a", "availability": "in_stock"}])
    stock.forget(["c"])
    assert stock.availability(["a", "c"]) == ["", ""]


def shop_of_ada() -> Shop:
    shop = Shop()
    shop.visit("ada", "red dress")
    return shop
