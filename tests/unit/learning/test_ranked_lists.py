"""How good an order of lists is."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.qrels import Judgments
from learning.ranked_lists import ObservedList, as_shown, at_random, by_list_number, difference, order_quality
from learning.relevance import RelevanceOptions, measure
from ranking.rankers import Candidate, RankingInput

OPTIONS = RelevanceOptions(resamples=200)


def observed(gains: Sequence[float], number: int = 1, name: str = "q") -> ObservedList:
    candidates = [Candidate(f"p{place}", place) for place in range(1, len(gains) + 1)]
    nothing = np.zeros((len(gains), 0), np.float32)
    none = np.zeros((0, 0), np.float32)
    seen = RankingInput(candidates, (), nothing, nothing, none, np.zeros(0, np.float32))
    places = np.arange(1, len(gains) + 1)
    return ObservedList(name, "shopper", number, seen, np.array(gains, np.float32), places)


def test_the_best_order_is_1_and_equal_scores_keep_their_places() -> None:
    lists = [observed([0, 1, 0, 1])]

    assert order_quality(lists, [np.array([0, 2, 1, 3.0])], OPTIONS).mean.mean == pytest.approx(1)
    assert order_quality(lists, [np.zeros(4)], OPTIONS).mean.mean == as_shown(lists, OPTIONS).mean.mean
    assert as_shown(lists, OPTIONS).mean.mean == pytest.approx(
        (1 / np.log2(3) + 1 / np.log2(5)) / (1 / np.log2(2) + 1 / np.log2(3))
    )


def test_what_is_after_the_tenth_place_brings_nothing() -> None:
    assert as_shown([observed([0] * 10 + [1])], OPTIONS).mean.mean == 0


@pytest.mark.parametrize("gains", [[1, 0, 0], [1, 1, 0, 0, 0], [1] + [0] * 23, [1] * 20 + [0] * 4])
def test_the_random_order_is_the_mean_over_many(gains: list[int]) -> None:
    rng = np.random.default_rng(0)
    lists = [observed(gains, name=f"q{number}") for number in range(400)]
    drawn = order_quality(lists, [rng.random(len(gains)) for _ in lists], OPTIONS).values

    assert at_random(lists[:1], OPTIONS).mean.mean == pytest.approx(drawn.mean(), abs=4 * drawn.std() / 20)


def test_a_list_whose_products_were_all_chosen_tells_nothing() -> None:
    assert observed([0, 1]).tells_something
    assert not observed([1, 1]).tells_something
    assert not observed([0, 0]).tells_something


def test_gains_are_told_by_the_number_of_the_list() -> None:
    lists = [observed([0, 1], number, f"q{number}") for number in (1, 2, 6, 7, 0)]
    better = order_quality(lists, [np.array([0.0, number]) for number in (0, 1, 1, 1, 1)], OPTIONS)
    gain = better.values - as_shown(lists, OPTIONS).values

    by_number = by_list_number(lists, gain, OPTIONS, last=3)

    assert list(by_number) == ["1", "2", "3+"]
    assert by_number["1"].mean == 0
    assert by_number["3+"].mean == pytest.approx(1 - 1 / np.log2(3))
    assert difference(better, as_shown(lists, OPTIONS), OPTIONS).mean == pytest.approx(gain.mean())


GAINS = st.lists(st.integers(0, 3), min_size=2, max_size=14).filter(lambda gains: min(gains) < max(gains))


@given(GAINS)
def test_it_is_what_trec_eval_says(gains: list[int]) -> None:
    [shown] = as_shown([observed(gains)], OPTIONS).values
    ids = [f"p{place}" for place in range(len(gains))]
    judged = Judgments({"q": dict(zip(ids, gains, strict=True))}, {})
    run = {"q": [(product_id, -float(place)) for place, product_id in enumerate(ids)]}

    assert shown == pytest.approx(measure(run, judged, {"NDCG": "nDCG@10"}, OPTIONS).values["NDCG"][0])


@given(GAINS, st.sampled_from([0.5, 0.01, 1 / 3]))
def test_only_how_gains_relate_counts_however_small_they_are(gains: list[int], unit: float) -> None:
    small = [unit * gain for gain in gains]

    assert as_shown([observed(small)], OPTIONS).mean.mean == pytest.approx(
        as_shown([observed(gains)], OPTIONS).mean.mean
    )
    assert at_random([observed(small)], OPTIONS).mean.mean == pytest.approx(
        at_random([observed(gains)], OPTIONS).mean.mean
    )
