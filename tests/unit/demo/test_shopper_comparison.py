"""Lists for a shopper beside lists for nobody, judged by the hidden taste."""

import random
from collections.abc import Sequence

import pytest

from demo.shoppers.comparison import ListPair, compare_lists
from learning.relevance import RelevanceOptions

OPTIONS = RelevanceOptions(resamples=500)
GRADES = {f"p{number}": grade for number, grade in enumerate([4, 3, 2, 1, 0, 0, 0, 1, 0, 0, 2, 0])}
IDEAL = sorted(GRADES, key=GRADES.__getitem__, reverse=True)


def pair(shopper: str, personalized: Sequence[str], plain: Sequence[str], session: int = 1) -> ListPair:
    return ListPair(shopper, session, "hat", personalized, plain, GRADES)


def shuffled(rng: random.Random) -> list[str]:
    return rng.sample(IDEAL, len(IDEAL))


def test_the_ideal_order_has_an_ndcg_of_1() -> None:
    compared = compare_lists([pair("anna", IDEAL, IDEAL)], OPTIONS)

    assert compared is not None
    assert compared.personalized.mean == pytest.approx(1)
    assert compared.difference.mean == 0


def test_a_better_order_is_a_difference_above_0_and_the_same_order_none() -> None:
    rng = random.Random(1)
    better = compare_lists([pair(f"s{n}", IDEAL, shuffled(rng)) for n in range(20)], OPTIONS)
    same = compare_lists([pair(f"s{n}", order, order) for n in range(20) for order in [shuffled(rng)]], OPTIONS)

    assert better is not None
    assert same is not None
    assert better.difference.low > 0
    assert (same.difference.low, same.difference.mean, same.difference.high) == (0, 0, 0)
    assert better.difference.mean == pytest.approx(better.personalized.mean - better.plain.mean)


def test_many_lists_of_one_shopper_count_as_one_shopper() -> None:
    rng = random.Random(2)
    lists = [pair("anna", IDEAL, shuffled(rng), session) for session in range(50)]
    compared = compare_lists([*lists, pair("bo", IDEAL[::-1], IDEAL)], OPTIONS)

    assert compared is not None
    assert (compared.shoppers, compared.pairs) == (2, 51)
    assert compared.difference.low < 0 < compared.difference.high


def test_lists_without_anything_that_is_liked_say_nothing() -> None:
    nothing = ListPair("anna", 1, "hat", ["a"], ["b"], {"a": 0, "b": 0})

    assert compare_lists([nothing], OPTIONS) is None
    assert compare_lists([], OPTIONS) is None
    compared = compare_lists([nothing, pair("bo", IDEAL, IDEAL)], OPTIONS)
    assert compared is not None
    assert compared.shoppers == 1
