"""What fusion promises for any ranked lists."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.base import ScoredProduct
from ranking.fusion import FusedProduct, Leg, RankedLegs, Weights, fuse_reciprocal_ranks, fuse_weighted

SCORES = st.floats(min_value=-1, max_value=1, allow_nan=False, width=32)
IDS = st.sampled_from([f"p{number}" for number in range(12)])
COSINES = [step / 20 for step in range(-20, 21)]
KEYWORD_PLACES = 5
WITHOUT_ORDER = (Leg.IDENTIFIERS, Leg.BRANDS)
WEIGHTS = st.dictionaries(st.sampled_from(Leg), st.floats(min_value=0.01, max_value=10))


def ranked(scores: dict[str, float]) -> list[ScoredProduct]:
    order = sorted(scores, key=lambda product_id: (-scores[product_id], product_id))
    return [ScoredProduct(product_id, scores[product_id]) for product_id in order]


LEGS = st.dictionaries(st.sampled_from(Leg), st.dictionaries(IDS, SCORES, max_size=10).map(ranked))


def fuse(method: str, legs: RankedLegs, weights: Weights) -> list[FusedProduct]:
    return (
        fuse_weighted(legs, weights, KEYWORD_PLACES)
        if method == "weighted"
        else fuse_reciprocal_ranks(legs, weights, 60)
    )


both_methods = pytest.mark.parametrize("method", ["weighted", "rrf"])


@both_methods
@given(legs=LEGS, weights=WEIGHTS)
def test_the_fused_list_holds_each_product_of_the_weighted_legs_once(
    method: str, legs: RankedLegs, weights: Weights
) -> None:
    fused = fuse(method, legs, weights)
    found = {hit.product_id for leg, hits in legs.items() if leg in weights for hit in hits}
    assert sorted(product.product_id for product in fused) == sorted(found)


@both_methods
@given(legs=LEGS, weights=WEIGHTS)
def test_a_score_is_the_sum_of_its_explained_contributions(method: str, legs: RankedLegs, weights: Weights) -> None:
    for product in fuse(method, legs, weights):
        assert product.score == pytest.approx(sum(hit.contribution for hit in product.legs.values()))
        assert -1 - 1e-9 <= product.score <= 1 + 1e-9
        for leg, hit in product.legs.items():
            ranks = itertools.repeat(1) if leg in WITHOUT_ORDER else itertools.count(1)
            found = {found.product_id: (rank, found.score) for rank, found in zip(ranks, legs[leg], strict=False)}
            assert (hit.rank, hit.score) == found.get(product.product_id, (None, None))


@given(legs=LEGS, weights=WEIGHTS)
def test_what_a_leg_did_not_find_is_never_worth_more_there_than_what_it_found(
    legs: RankedLegs, weights: Weights
) -> None:
    fused = fuse_weighted(legs, weights, KEYWORD_PLACES)
    for leg in legs:
        parts = [
            (product.legs[leg].rank is None, product.legs[leg].contribution) for product in fused if leg in product.legs
        ]
        assumed = [part for missing, part in parts if missing]
        found = [part for missing, part in parts if not missing]
        assert not assumed or max(assumed) <= min(found)


@both_methods
@given(legs=LEGS, weights=WEIGHTS)
def test_the_order_in_which_legs_are_given_changes_nothing(method: str, legs: RankedLegs, weights: Weights) -> None:
    turned = dict(reversed(list(legs.items())))
    assert fuse(method, turned, dict(reversed(list(weights.items())))) == fuse(method, legs, weights)


@both_methods
@given(scores=st.dictionaries(IDS, SCORES, min_size=1), leg=st.sampled_from(Leg))
def test_fusing_one_leg_keeps_its_order_and_fusing_again_changes_nothing(
    method: str, scores: dict[str, float], leg: Leg
) -> None:
    once = fuse(method, {leg: ranked(scores)}, {leg: 1.0})
    by_position = [scores[product.product_id] for product in once]
    assert all(first >= second or first == pytest.approx(second) for first, second in itertools.pairwise(by_position))
    again = fuse(method, {leg: [ScoredProduct(product.product_id, product.score) for product in once]}, {leg: 1.0})
    assert [product.product_id for product in again] == [product.product_id for product in once]


@both_methods
@given(legs=LEGS, weights=WEIGHTS, factor=st.sampled_from([0.5, 2.0, 1024.0]))
def test_only_the_ratios_of_the_weights_count(method: str, legs: RankedLegs, weights: Weights, factor: float) -> None:
    scaled = {leg: weight * factor for leg, weight in weights.items()}
    assert fuse(method, legs, scaled) == fuse(method, legs, weights)


@both_methods
@given(
    legs=st.fixed_dictionaries({leg: st.dictionaries(IDS, st.sampled_from(COSINES), min_size=2) for leg in Leg}),
    weights=st.fixed_dictionaries({leg: st.floats(min_value=0.01, max_value=10) for leg in Leg}),
    data=st.data(),
)
def test_a_better_score_in_one_leg_never_loses_a_place(
    method: str, legs: dict[Leg, dict[str, float]], weights: Weights, data: st.DataObject
) -> None:
    leg = data.draw(st.sampled_from(Leg))
    raised = data.draw(st.sampled_from(sorted(legs[leg])))
    before = fuse(method, {name: ranked(scores) for name, scores in legs.items()}, weights)
    better = legs | {
        leg: legs[leg]
        | {raised: data.draw(st.sampled_from([cosine for cosine in COSINES if cosine >= legs[leg][raised]]))}
    }
    after = fuse(method, {name: ranked(scores) for name, scores in better.items()}, weights)
    beaten = _beaten_by(raised, before, margin=1e-9)
    assert beaten <= _beaten_by(raised, after, margin=-1e-9)


def _beaten_by(product_id: str, fused: list[FusedProduct], margin: float) -> set[str]:
    """Products whose score is below that of `product_id` by more than `margin`, which leaves rounding out."""
    scores = {product.product_id: product.score for product in fused}
    return {other for other, score in scores.items() if score < scores[product_id] - margin}
