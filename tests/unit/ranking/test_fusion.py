"""Fusion in figures."""

import pytest

from index.base import ScoredProduct
from ranking.fusion import Leg, LegHit, fuse_reciprocal_ranks, fuse_weighted

HALVES = {Leg.TEXT: 0.5, Leg.KEYWORDS: 0.5}


def hits(**scores: float) -> list[ScoredProduct]:
    return [ScoredProduct(product_id, score) for product_id, score in scores.items()]


def test_weighted_fusion_scales_each_leg_to_0_to_1_and_adds_them() -> None:
    fused = fuse_weighted({Leg.TEXT: hits(a=0.9, b=0.7, c=0.5), Leg.KEYWORDS: hits(b=30.0, d=20.0, a=10.0)}, HALVES)
    assert [(product.product_id, product.score) for product in fused] == [
        ("b", pytest.approx(0.75)),
        ("a", pytest.approx(0.5)),
        ("d", pytest.approx(0.25)),
        ("c", pytest.approx(0.0)),
    ]
    assert fused[0].legs == {Leg.TEXT: LegHit(2, 0.7, pytest.approx(0.25)), Leg.KEYWORDS: LegHit(1, 30.0, 0.5)}


def test_a_lone_candidate_is_the_best_of_its_leg() -> None:
    fused = fuse_weighted({Leg.TEXT: hits(a=0.9, b=0.1), Leg.KEYWORDS: hits(b=3.0)}, {Leg.TEXT: 0.4, Leg.KEYWORDS: 0.6})
    assert [(product.product_id, product.score) for product in fused] == [("b", 0.6), ("a", 0.4)]


def test_equal_scores_all_count_in_full_and_ties_are_ordered_by_id() -> None:
    fused = fuse_weighted({Leg.KEYWORDS: hits(z=2.0, a=2.0, m=2.0)}, {Leg.KEYWORDS: 1.0})
    assert [(product.product_id, product.score) for product in fused] == [("a", 1.0), ("m", 1.0), ("z", 1.0)]


def test_a_leg_that_found_nothing_leaves_its_part_to_the_others() -> None:
    with_pictures = {Leg.TEXT: hits(a=0.9, b=0.5), Leg.KEYWORDS: hits(b=9.0, c=1.0), Leg.IMAGE: []}
    without = {leg: found for leg, found in with_pictures.items() if leg is not Leg.IMAGE}
    assert fuse_weighted(with_pictures, HALVES | {Leg.IMAGE: 0.5}) == fuse_weighted(without, HALVES)


def test_reciprocal_rank_fusion_knows_ranks_only() -> None:
    fused = fuse_reciprocal_ranks({Leg.TEXT: hits(a=0.9, b=0.89), Leg.KEYWORDS: hits(b=300.0, c=1.0)}, HALVES, k=60)
    assert [(product.product_id, product.score) for product in fused] == [
        ("b", pytest.approx(0.5 / 62 + 0.5 / 61)),
        ("a", pytest.approx(0.5 / 61)),
        ("c", pytest.approx(0.5 / 62)),
    ]


def test_nothing_found_is_an_empty_list() -> None:
    assert fuse_weighted({}, HALVES) == []
    assert fuse_weighted({Leg.TEXT: []}, HALVES) == []
    assert fuse_reciprocal_ranks({Leg.IMAGE: hits(a=1.0)}, HALVES, k=60) == []
