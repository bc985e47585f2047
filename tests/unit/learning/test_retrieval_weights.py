"""Weights of legs from judged queries: the better leg wins, and chance is not taken for quality."""

import random
from typing import cast

import pytest

from index.base import ScoredProduct
from learning.qrels import Judgments, RelevanceError
from learning.query_sets import QuerySet
from learning.retrieval_weights import FoundLegs, LearningOptions, find_legs, learn_weights
from ranking.candidates import Ranking
from ranking.fusion import Leg
from ranking.queries import SearchRequest
from ranking.query_understanding import UnderstoodQuery
from ranking.search import Search

OPTIONS = LearningOptions(folds=5, repeats=3)
PRODUCTS = [f"p{number}" for number in range(30)]


def judgments(queries: int) -> Judgments:
    """Of each query another product is right, and the next one nearly."""
    names = [str(number) for number in range(queries)]
    ratings = {name: {PRODUCTS[int(name) % 29]: 3, PRODUCTS[int(name) % 29 + 1]: 1, "p29": 0} for name in names}
    return Judgments(ratings, {name: f"query {name}" for name in names})


def ranked(first: list[str]) -> list[ScoredProduct]:
    rest = [product_id for product_id in PRODUCTS if product_id not in first]
    return [ScoredProduct(product_id, 1 - place / 100) for place, product_id in enumerate(first + rest)]


def found(judged: Judgments, good: Leg, bad: Leg) -> dict[str, FoundLegs]:
    chance = random.Random(5)
    legs = {}
    for query_id, rated in judged.ratings.items():
        right = sorted(rated, key=rated.__getitem__, reverse=True)[:2]
        shuffled = chance.sample(PRODUCTS, len(PRODUCTS))
        both = {good: ranked(right), bad: ranked(shuffled)}
        legs[query_id] = FoundLegs(both, both)
    return legs


@pytest.mark.parametrize(("good", "bad"), [(Leg.KEYWORDS, Leg.TEXT), (Leg.IMAGE, Leg.TEXT), (Leg.TEXT, Leg.IMAGE)])
def test_the_leg_that_knows_the_answer_gets_the_weight(good: Leg, bad: Leg) -> None:
    judged = judgments(20)

    learned = learn_weights(found(judged, good, bad), judged, OPTIONS)

    assert learned.chosen.weights[good] > learned.chosen.weights[bad]
    assert sum(learned.chosen.weights.values()) == pytest.approx(1)
    assert learned.on_these.judged == learned.on_these.full == pytest.approx(1)
    assert learned.cross_validated.judged == pytest.approx(1)


def test_what_was_chosen_by_chance_is_worse_on_other_queries_and_the_same_seed_says_the_same() -> None:
    judged = judgments(20)
    chance = random.Random(7)
    legs = {}
    for query_id in judged.ratings:
        noise = {leg: ranked(chance.sample(PRODUCTS, len(PRODUCTS))) for leg in (Leg.TEXT, Leg.IMAGE)}
        legs[query_id] = FoundLegs(noise, noise)

    learned = learn_weights(legs, judged, OPTIONS)

    assert learned.cross_validated.full < learned.on_these.full < 0.9
    assert learn_weights(legs, judged, OPTIONS) == learned


def test_each_choice_is_told() -> None:
    judged = judgments(10)
    told: list[tuple[int, int]] = []

    learn_weights(found(judged, Leg.TEXT, Leg.IMAGE), judged, OPTIONS, lambda done, of: told.append((done, of)))

    assert told == [(number, 21) for number in range(1, 22)]


def test_too_few_queries_are_refused() -> None:
    judged = judgments(9)

    with pytest.raises(RelevanceError, match="9 queries"):
        learn_weights(found(judged, Leg.TEXT, Leg.IMAGE), judged, OPTIONS)


def test_a_question_that_two_sets_ask_does_not_vouch_for_itself() -> None:
    chance = random.Random(7)
    once = judgments(12)
    legs, ratings = {}, {}
    for query_id, rated in once.ratings.items():
        noise = {leg: ranked(chance.sample(PRODUCTS, len(PRODUCTS))) for leg in (Leg.TEXT, Leg.IMAGE)}
        for name in ("en", "zh"):
            legs[f"{name}/{query_id}"], ratings[f"{name}/{query_id}"] = FoundLegs(noise, noise), rated
    alone = {query_id: legs[f"en/{query_id}"] for query_id in once.ratings}

    twice = learn_weights(legs, Judgments(ratings, dict.fromkeys(ratings, "")), OPTIONS)

    assert twice.queries == 24
    assert twice.cross_validated.full == pytest.approx(learn_weights(alone, once, OPTIONS).cross_validated.full)


def test_both_views_are_asked_of_the_search_and_a_query_s_own_product_is_left_out() -> None:
    hits = [ScoredProduct(name, 0.5) for name in ("own", "right", "wrong")]
    asked: list[tuple[str, ...]] = []

    class ListSearch:
        def rank(self, request: SearchRequest, legs: object) -> Ranking:
            [*only] = request.filters
            asked.append(only[0].any_of if only else ())
            return Ranking(request, UnderstoodQuery("", "en", (), ()), found={Leg.IMAGE: hits})

    judged = Judgments({"1": {"right": 1, "wrong": 0}}, {"1": "red"})
    pooled = QuerySet("pooled", judged, own={"1": "own"}, pooled=True)
    complete = QuerySet("complete", judged)

    found, merged = find_legs(cast(Search, ListSearch()), [pooled, complete])

    assert asked == [(), ("right", "wrong"), ()]
    assert [hit.product_id for hit in found["pooled/1"].full[Leg.IMAGE]] == ["right", "wrong"]
    assert found["complete/1"].judged is found["complete/1"].full
    assert set(merged.ratings) == {"pooled/1", "complete/1"}
