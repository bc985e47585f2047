"""Fusion in figures."""

import pytest

from index.base import ScoredProduct
from ranking.fusion import Leg, LegHit, fuse_reciprocal_ranks, fuse_weighted

HALVES = {Leg.TEXT: 0.5, Leg.KEYWORDS: 0.5}


def hits(**scores: float) -> list[ScoredProduct]:
    return [ScoredProduct(product_id, score) for product_id, score in scores.items()]


def test_weighted_fusion_adds_cosines_and_places_among_the_keyword_hits() -> None:
    legs = {Leg.TEXT: hits(a=0.9, b=0.7, c=0.5), Leg.KEYWORDS: hits(b=30.0, d=20.0, a=10.0)}

    fused = fuse_weighted(legs, HALVES, keyword_places=4)

    assert [(product.product_id, product.score) for product in fused] == [
        ("b", pytest.approx(0.5 * 0.7 + 0.5 * 1)),
        ("a", pytest.approx(0.5 * 0.9 + 0.5 * 0.5)),
        ("d", pytest.approx(0.5 * 0.5 + 0.5 * 0.75)),
        ("c", pytest.approx(0.5 * 0.5)),
    ]
    assert fused[0].legs == {Leg.TEXT: LegHit(2, 0.7, pytest.approx(0.35)), Leg.KEYWORDS: LegHit(1, 30.0, 0.5)}


def test_what_a_vector_leg_did_not_find_counts_as_its_last_hit_and_says_that_it_was_not_found() -> None:
    fused = fuse_weighted({Leg.TEXT: hits(a=0.9, b=0.3), Leg.KEYWORDS: hits(c=8.0)}, HALVES, keyword_places=4)

    assert [product.product_id for product in fused] == ["c", "a", "b"]
    assert fused[0].legs[Leg.TEXT] == LegHit(None, None, pytest.approx(0.15))
    assert fused[0].score == pytest.approx(sum(hit.contribution for hit in fused[0].legs.values()))
    assert Leg.KEYWORDS not in fused[1].legs


def test_every_hit_of_an_article_number_counts_in_full() -> None:
    legs = {Leg.IDENTIFIERS: hits(a=9.0, b=4.0)}

    assert [product.score for product in fuse_weighted(legs, {Leg.IDENTIFIERS: 2.0}, 10)] == [1.0, 1.0]


def test_keyword_hits_behind_the_last_place_that_counts_keep_their_order() -> None:
    legs = {Leg.KEYWORDS: hits(d=9.0, c=8.0, b=7.0, a=6.0)}

    fused = fuse_weighted(legs, {Leg.KEYWORDS: 1.0}, keyword_places=2)

    assert [(product.product_id, product.score) for product in fused] == [("d", 1.0), ("c", 0.5), ("b", 0), ("a", 0)]


def test_equal_products_at_equal_places_are_ordered_by_id() -> None:
    legs = {Leg.TEXT: hits(z=0.5), Leg.IMAGE: hits(a=0.5)}

    fused = fuse_weighted(legs, {Leg.TEXT: 0.5, Leg.IMAGE: 0.5}, keyword_places=10)

    assert [(product.product_id, product.score) for product in fused] == [("a", 0.5), ("z", 0.5)]


def test_a_leg_that_found_nothing_leaves_its_part_to_the_others() -> None:
    with_pictures = {Leg.TEXT: hits(a=0.9, b=0.5), Leg.KEYWORDS: hits(b=9.0, c=1.0), Leg.IMAGE: []}
    without = {leg: found for leg, found in with_pictures.items() if leg is not Leg.IMAGE}
    assert fuse_weighted(with_pictures, HALVES | {Leg.IMAGE: 0.5}, 10) == fuse_weighted(without, HALVES, 10)


def test_reciprocal_rank_fusion_knows_ranks_only() -> None:
    fused = fuse_reciprocal_ranks({Leg.TEXT: hits(a=0.9, b=0.89), Leg.KEYWORDS: hits(b=300.0, c=1.0)}, HALVES, k=60)
    assert [(product.product_id, product.score) for product in fused] == [
        ("b", pytest.approx(0.5 / 62 + 0.5 / 61)),
        ("a", pytest.approx(0.5 / 61)),
        ("c", pytest.approx(0.5 / 62)),
    ]


def test_nothing_found_is_an_empty_list() -> None:
    assert fuse_weighted({}, HALVES, 10) == []
    assert fuse_weighted({Leg.TEXT: []}, HALVES, 10) == []
    assert fuse_reciprocal_ranks({Leg.IMAGE: hits(a=1.0)}, HALVES, k=60) == []


def test_all_products_of_a_brand_and_all_of_an_article_number_have_the_same_rank() -> None:
    legs = {Leg.TEXT: hits(a=0.9, b=0.9), Leg.BRANDS: hits(b=1.0, a=1.0), Leg.IDENTIFIERS: hits(b=7.0, a=5.0)}
    weights = {leg: 1.0 for leg in legs}

    for fused in (fuse_reciprocal_ranks(legs, weights, 60), fuse_weighted(legs, weights, keyword_places=4)):
        first, second = (
            {leg: (hit.rank, hit.contribution) for leg, hit in product.legs.items() if leg is not Leg.TEXT}
            for product in fused
        )
        assert first == second
        assert {rank for rank, _ in first.values()} == {1}
