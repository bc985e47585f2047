"""Candidates in the order for one shopper."""

from collections import Counter
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.store import StoreUnavailable
from ranking.availability import Availability
from ranking.diversity import by_marginal_relevance
from ranking.exploration import drawn
from ranking.hand_set import HandSetRanker
from ranking.rankers import Candidate, Situation
from ranking.reranking import NOT_READ, RankedList, Reranker, Rules
from ranking.reranking_settings import ExplorationSettings, RerankingSettings
from ranking.settings import AvailabilityRules
from ranking.stock import Stock
from tests.unit.ranking.taste_features import DECLARED, TasteFeatures

NOBODY = Situation(at=0.0)
AVAILABILITY = Availability(AvailabilityRules(discontinued="hidden"))
WEIGHTS = {"score": 1.0, "position": -0.001, "taste": 0.5}
scores = st.lists(st.floats(-1, 1, width=32), max_size=30).map(lambda found: sorted(found, reverse=True))


def candidates(*found: float | None) -> list[Candidate]:
    return [Candidate(f"p{place}", place, score) for place, score in enumerate(found, start=1)]


def reranked(
    features: TasteFeatures,
    listed: list[Candidate],
    rules: Rules | None = None,
    seed: str = "q",
    stock: Stock | None = None,
    **settings: object,
) -> RankedList:
    options = RerankingSettings.model_validate({"features": DECLARED, "weights": WEIGHTS} | settings)
    reranker = Reranker(features, HandSetRanker(options.weights), options, AVAILABILITY, stock or Stock(), Mock())
    return reranker.rerank(NOBODY, listed, rules or Rules(), seed, explain=True)


def stock_of(availability: dict[str, str]) -> Stock:
    stock = Stock()
    stock.learn({"id": product_id, "availability": value} for product_id, value in availability.items())
    return stock


def ids(ranked: RankedList) -> list[str]:
    return [one.candidate.product_id for one in ranked.products]


@given(scores)
def test_of_whom_nothing_is_known_sees_the_order_that_was_found(found: list[float]) -> None:
    listed = candidates(*found)
    assert ids(reranked(TasteFeatures(), listed)) == [one.product_id for one in listed]


def test_candidates_without_scores_keep_their_order_too() -> None:
    assert ids(reranked(TasteFeatures(), candidates(None, None, None))) == ["p1", "p2", "p3"]


def test_what_the_shopper_likes_comes_first_and_says_why() -> None:
    found = reranked(TasteFeatures(likes={"p3": 0.9}), candidates(0.8, 0.7, 0.6))
    assert ids(found) == ["p3", "p1", "p2"]
    assert [one.position for one in found.products] == [1, 2, 3]
    first, second, _ = found.products
    assert first.candidate.position == 3
    assert first.parts == pytest.approx({"score": 0.6, "position": -0.003, "taste": 0.45})
    assert first.score == pytest.approx(sum(first.parts.values()))
    assert second.parts == pytest.approx({"score": 0.8, "position": -0.001}), "what is not known says nothing"


def test_no_parts_are_computed_unless_asked_for() -> None:
    reranker = Reranker(TasteFeatures(), HandSetRanker(WEIGHTS), RerankingSettings(), AVAILABILITY, Stock(), Mock())
    assert reranker.rerank(NOBODY, candidates(0.8), Rules(), "q").products[0].parts == {}


def test_what_was_bought_or_hidden_leaves() -> None:
    features = TasteFeatures(bought={"p1", "gone"}, hidden={"p3"})
    found = reranked(features, candidates(0.9, 0.8, 0.7, 0.6))
    assert ids(found) == ["p2", "p4"]
    assert [one.position for one in found.products] == [1, 2]
    assert found.left_out == {"p1": "bought", "gone": "bought", "p3": "hidden"}


def test_a_shop_may_show_again_what_was_bought_but_never_what_was_hidden() -> None:
    features = TasteFeatures(bought={"p1", "p2"}, hidden={"p2"})
    assert ids(reranked(features, candidates(0.9, 0.8, 0.7), bought="shown")) == ["p1", "p3"]


def test_what_is_asked_for_by_its_number_stays() -> None:
    features = TasteFeatures(bought={"p1"}, hidden={"p2"})
    assert ids(reranked(features, candidates(0.9, 0.8), Rules(kept={"p1"}))) == ["p1"]


def test_what_belongs_last_stands_behind_however_much_it_is_liked() -> None:
    gone = {"p1": "out_of_stock", "p2": "out_of_stock", "p3": "in_stock", "p5": "discontinued"}
    features = TasteFeatures(likes={"p1": 9.0, "p2": 8.0, "p4": 1.0})
    stock = stock_of(gone)
    found = reranked(features, candidates(0.9, 0.8, 0.7, 0.6, 0.5), stock=stock)
    assert ids(found) == ["p4", "p3", "p1", "p2"]
    assert [one.behind for one in found.products] == ["", "", "out_of_stock", "out_of_stock"]
    assert found.left_out == {"p5": "discontinued"}
    kept = reranked(features, candidates(0.9, 0.8, 0.7, 0.6, 0.5), Rules(kept={"p2", "p5"}), stock=stock)
    assert ids(kept) == ["p2", "p4", "p3", "p5", "p1"], "who names a number sees it"
    assert [one.behind for one in kept.products] == ["", "", "", "", "out_of_stock"]


def test_a_store_that_does_not_answer_is_left_alone_for_a_while() -> None:
    features = Mock(input=Mock(side_effect=StoreUnavailable("redis does not answer")))
    clock = Mock(return_value=0.0)
    reranker = Reranker(
        features, HandSetRanker(WEIGHTS), RerankingSettings(), AVAILABILITY, Stock(), Mock(), monotonic=clock
    )
    for now, asked in ((0.0, 1), (4.9, 1), (5.1, 2)):
        clock.return_value = now
        found = reranker.rerank(NOBODY, candidates(0.8, 0.7), Rules(), "q")
        assert (ids(found), found.note) == (["p1", "p2"], NOT_READ)
        assert features.input.call_count == asked
    features.input = TasteFeatures(likes={"p2": 1.0}).input
    clock.return_value = 10.2
    assert ids(reranker.rerank(NOBODY, candidates(0.8, 0.7), Rules(), "q")) == ["p2", "p1"]


def test_an_empty_list_stays_empty() -> None:
    assert reranked(TasteFeatures(), []).products == []


def test_like_products_do_not_stand_together_where_diversity_is_asked_for() -> None:
    vectors = {"p1": (1.0, 0.0), "p2": (1.0, 0.0), "p3": (0.0, 1.0)}
    listed = candidates(0.9, 0.89, 0.8)
    assert ids(reranked(TasteFeatures(vectors=vectors), listed)) == ["p1", "p2", "p3"]
    assert ids(reranked(TasteFeatures(vectors=vectors), listed, diversity=0.5)) == ["p1", "p3", "p2"]


def test_marginal_relevance_takes_the_best_of_its_formula_at_each_step() -> None:
    lot = np.random.default_rng(1)
    found = lot.random(12).astype(np.float32)
    vectors = lot.normal(size=(12, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = by_marginal_relevance(found, vectors, 0.6).tolist()
    relevance = (found - found.min()) / (found.max() - found.min())
    for step in range(1, 12):
        worth = {
            one: 0.6 * relevance[one] - 0.4 * max(vectors[one] @ vectors[other] for other in order[:step])
            for one in order[step:]
        }
        assert worth[order[step]] == pytest.approx(max(worth.values()), abs=1e-6)


@given(st.integers(0, 20), st.integers(0, 10), st.floats(0, 1), st.text(max_size=5))
def test_a_draw_is_an_order_of_the_same_and_only_of_the_first_places(
    length: int, places: int, share: float, seed: str
) -> None:
    draw = drawn(length, places, share, seed)
    assert sorted(draw.order) == list(range(length))
    assert draw.order[places:].tolist() == list(range(length))[places:]
    assert all(0 < chance <= 1 for chance in draw.propensities)
    assert draw.order.tolist() == drawn(length, places, share, seed).order.tolist()


def test_propensities_are_the_shares_in_which_products_come_to_their_places() -> None:
    seen: Counter[tuple[int, int]] = Counter()
    told: dict[tuple[int, int], float] = {}
    lists = 4_000
    for number in range(lists):
        draw = drawn(4, 3, 0.3, f"query-{number}")
        for place, (one, chance) in enumerate(zip(draw.order.tolist(), draw.propensities.tolist(), strict=True)):
            seen[one, place] += 1
            assert told.setdefault((one, place), chance) == chance
    assert told[0, 0] == pytest.approx(0.8)
    assert told[0, 1] == pytest.approx(0.1)
    assert told[3, 3] == 1.0
    for pair, chance in told.items():
        assert seen[pair] / lists == pytest.approx(chance, abs=4 * (chance * (1 - chance) / lists) ** 0.5)


def test_exploration_stays_on_the_page_and_its_chances_are_told() -> None:
    settings = {"exploration": ExplorationSettings(share=1.0, places=3)}
    listed = candidates(0.9, 0.8, 0.7, 0.6)
    orders = {
        tuple(ids(reranked(TasteFeatures(), listed, Rules(places=2), f"q{number}", **settings))) for number in range(20)
    }
    assert orders == {("p1", "p2", "p3", "p4"), ("p2", "p1", "p3", "p4")}
    found = reranked(TasteFeatures(), listed, Rules(places=2), **settings)
    assert [one.propensity for one in found.products] == [0.5, 0.5, 1.0, 1.0]
    out = stock_of(dict.fromkeys(("p1", "p2", "p3"), "out_of_stock"))
    late = reranked(TasteFeatures(), listed, Rules(places=4), stock=out, **settings)
    assert ids(late) == ["p4", "p1", "p2", "p3"], "what belongs last is not drawn to the top"


def test_a_release_is_of_its_weights() -> None:
    assert HandSetRanker({"a": 1.0, "b": 2.0}).release == HandSetRanker({"b": 2.0, "a": 1.0}).release
    assert HandSetRanker({"a": 1.0}).release != HandSetRanker({"a": 1.1}).release
