"""Lists for a shopper beside lists for nobody, judged by the hidden taste."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.shoppers.comparison import PairedNdcg, compare, ndcg
from demo.shoppers.learning_curve import LearningCurve
from learning.qrels import Judgments
from learning.relevance import RelevanceOptions, evaluate

OPTIONS = RelevanceOptions(resamples=500)
NOTHING = PairedNdcg("anna", 1, math.nan, math.nan)

grade_lists = st.lists(st.integers(0, 4), min_size=1, max_size=30).filter(any)


@given(grade_lists)
def test_the_ideal_order_has_an_ndcg_of_1_and_no_other_has_more(grades: list[int]) -> None:
    assert ndcg(sorted(grades, reverse=True), grades) == pytest.approx(1)
    assert 0 <= ndcg(grades, grades) <= 1 + 1e-12


@given(grade_lists)
def test_ndcg_is_that_of_the_relevance_measures(grades: list[int]) -> None:
    ratings = {str(number): grade for number, grade in enumerate(grades)}
    ranked = [(product, 0.0) for product in ratings]
    report = evaluate({"q": ranked}, Judgments({"q": ratings}, {"q": ""}), RelevanceOptions(resamples=1))

    assert ndcg(grades, grades) == pytest.approx(report.values["NDCG@10"][0])


def test_where_nothing_is_liked_there_is_no_ndcg() -> None:
    assert math.isnan(ndcg([0, 0], [0, 0, 0]))
    assert compare([NOTHING], OPTIONS) is None
    assert compare([], OPTIONS) is None
    compared = compare([NOTHING, PairedNdcg("bo", 1, 0.5, 0.5)], OPTIONS)
    assert compared is not None
    assert compared.shoppers == 1


def test_a_difference_that_everyone_has_is_outside_of_chance_and_noise_is_not() -> None:
    rng = random.Random(1)
    better = [PairedNdcg(f"s{n}", 1, plain + 0.1 * rng.random(), plain) for n in range(20) for plain in [rng.random()]]
    noise = [PairedNdcg(f"s{n}", 1, rng.random(), rng.random()) for n in range(20)]
    gain, nothing = compare(better, OPTIONS), compare(noise, OPTIONS)

    assert gain is not None
    assert nothing is not None
    assert 0 < gain.difference.low < gain.difference.mean < gain.difference.high < 0.1
    assert gain.difference.mean == pytest.approx(gain.personalized.mean - gain.plain.mean)
    assert nothing.difference.low < 0 < nothing.difference.high


def test_many_searches_of_one_shopper_count_as_one_shopper() -> None:
    of_one = [PairedNdcg("anna", session, 1.0, 0.0) for session in range(50)]
    compared = compare([*of_one, PairedNdcg("bo", 1, 0.0, 1.0)], OPTIONS)

    assert compared is not None
    assert (compared.shoppers, compared.searches) == (2, 51)
    assert compared.difference.mean == 0
    assert compared.difference.low < 0 < compared.difference.high


def test_a_round_is_told_once_when_every_shopper_has_been_through_it() -> None:
    curve = LearningCurve(2, OPTIONS)
    searches = [PairedNdcg("anna", 1, 0.5, 0.25), PairedNdcg("anna", 2, 0.5, 0.25)]
    assert curve.update(searches) == []

    searches.append(PairedNdcg("bo", 1, 0.5, 0.5))
    told = curve.update(searches)

    assert [one.session for one in told] == [1]
    assert told[0].comparison.difference.mean == pytest.approx(0.125)
    assert curve.update(searches) == []
    assert curve.rounds == told


def test_a_round_in_which_nobody_found_anything_to_like_is_left_out() -> None:
    curve = LearningCurve(1, OPTIONS)

    assert curve.update([NOTHING, PairedNdcg("anna", 2, 1.0, 1.0)]) == curve.rounds
    assert [one.session for one in curve.rounds] == [2]
