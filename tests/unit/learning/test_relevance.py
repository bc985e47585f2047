"""The measures against values worked out by hand, and what the bootstrap promises."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.qrels import Judgments, RelevanceError, read_csv_ratings
from learning.relevance import RelevanceOptions, bootstrap, compare, evaluate
from learning.relevance_runs import full_run, judged_run

OPTIONS = RelevanceOptions(resamples=200)
RATINGS = {"1": {"a": 3, "b": 0, "c": 2, "d": 1}, "2": {"a": 0}, "3": {"x": 2}}
JUDGMENTS = Judgments(RATINGS, {"1": "mouse", "2": "nothing", "3": "screen"})


def run_of(**rankings: str) -> dict[str, list[tuple[str, float]]]:
    return {query_id.removeprefix("q"): [(product, 0.0) for product in order] for query_id, order in rankings.items()}


def test_values_worked_out_by_hand() -> None:
    report = evaluate(run_of(q1="baucd", q3="yz"), JUDGMENTS, RelevanceOptions(cutoff=3, recall_cutoff=4, resamples=10))

    assert report.query_ids == ("1", "3")
    assert report.left_out == 1
    gained = 7 / math.log2(3)  # b gains 0, a gains 2^3 - 1 at rank 2, u is unjudged
    ideal = 7 + 3 / math.log2(3) + 1 / 2
    assert report.values["NDCG@3"] == pytest.approx([gained / ideal, 0])
    assert report.values["P@3"] == pytest.approx([1 / 3, 0])
    assert report.values["R@4"] == pytest.approx([1, 0])
    assert report.values["F1@3"] == pytest.approx([2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2), 0])
    assert report.values["AP"] == pytest.approx([(1 / 2 + 2 / 4) / 2, 0])
    assert report.values["RR"] == pytest.approx([1 / 2, 0])
    assert report.values["Judged@3"] == pytest.approx([2 / 3, 0])
    assert report.intervals["RR"].mean == pytest.approx(1 / 4)


def test_the_judged_share_is_of_what_was_found() -> None:
    assert evaluate(run_of(q1="ua"), JUDGMENTS, OPTIONS).values["Judged@10"][0] == 1 / 2


def test_the_order_counts_and_not_the_scores() -> None:
    tied = {"1": [("c", 1.0), ("a", 1.0)]}
    rising = {"1": [("c", 0.1), ("a", 0.9)]}

    assert (
        evaluate(tied, JUDGMENTS, OPTIONS).values["NDCG@10"][0]
        == evaluate(rising, JUDGMENTS, OPTIONS).values["NDCG@10"][0]
    )
    assert (
        evaluate(run_of(q1="ac"), JUDGMENTS, OPTIONS).values["NDCG@10"][0]
        > evaluate(tied, JUDGMENTS, OPTIONS).values["NDCG@10"][0]
    )


def test_the_threshold_moves_the_binary_measures_and_not_ndcg() -> None:
    run = run_of(q1="dca")
    two, three = (evaluate(run, JUDGMENTS, RelevanceOptions(threshold=threshold, resamples=10)) for threshold in (2, 3))

    assert (two.values["RR"][0], three.values["RR"][0]) == pytest.approx((1 / 2, 1 / 3))
    assert two.values["NDCG@10"][0] == three.values["NDCG@10"][0]


def test_queries_without_results_count_as_zero_and_empty_runs_too() -> None:
    for run in ({}, {"1": []}, run_of(q1="", q9="a")):
        report = evaluate(run, JUDGMENTS, OPTIONS)
        assert all(values.tolist() == [0, 0] for values in report.values.values())


def test_a_product_that_is_ranked_twice_is_refused() -> None:
    with pytest.raises(RelevanceError, match=r"'1'.*twice"):
        evaluate(run_of(q1="aa"), JUDGMENTS, OPTIONS)


ORDERS = st.permutations(list("abcdefgh")).flatmap(lambda order: st.integers(0, 8).map(lambda size: order[:size]))


@given(order=ORDERS, ratings=st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 4), min_size=1))
def test_ndcg_is_that_of_its_definition(order: list[str], ratings: dict[str, int]) -> None:
    ratings |= {"j": 1}
    judgments = Judgments({"1": ratings}, {"1": "query"})

    def dcg(gains: Sequence[int]) -> float:
        return sum((2**rating - 1) / math.log2(rank + 1) for rank, rating in enumerate(gains[:5], start=1))

    expected = dcg([ratings.get(product, 0) for product in order]) / dcg(sorted(ratings.values(), reverse=True))
    report = evaluate({"1": [(product, 0.0) for product in order]}, judgments, RelevanceOptions(cutoff=5, resamples=5))
    assert report.values["NDCG@5"][0] == pytest.approx(expected)


def test_the_bootstrap_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(200):
        interval = bootstrap({"x": rng.normal(1, 1, 60)}, RelevanceOptions(resamples=500, seed=seed))["x"]
        assert interval.low <= interval.mean <= interval.high
        covered += interval.low <= 1 <= interval.high
    assert 180 <= covered <= 199


def test_the_same_seed_gives_the_same_interval() -> None:
    values = {"x": np.arange(20.0)}

    assert bootstrap(values, OPTIONS) == bootstrap(values, OPTIONS)
    assert bootstrap(values, OPTIONS) != bootstrap(values, RelevanceOptions(resamples=200, seed=1))


def test_many_queries_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("learning.relevance._BLOCK_VALUES", 70)
    interval = bootstrap({"x": np.arange(20.0)}, OPTIONS)["x"]

    assert interval.low < interval.mean < interval.high


def test_a_paired_difference_is_narrower_than_either() -> None:
    rng = np.random.default_rng(7)
    ratings = {str(number): {"a": 3, "b": 1, "c": 0} for number in range(60)}
    judgments = Judgments(ratings, {key: key for key in ratings})
    orders = [rng.permutation(list("abc")).tolist() for _ in ratings]
    run = {key: [(product, 0.0) for product in order] for key, order in zip(ratings, orders, strict=True)}
    better = {
        key: [(product, 0.0) for product in sorted(order)] if key == "5" else run[key] for key, order in run.items()
    }
    better["5"] = [("a", 0.0), ("b", 0.0)]
    one, other = evaluate(better, judgments, OPTIONS), evaluate(run, judgments, OPTIONS)

    difference = compare(one, other, OPTIONS)["NDCG@10"]

    assert difference.mean == pytest.approx(one.intervals["NDCG@10"].mean - other.intervals["NDCG@10"].mean)
    assert difference.high - difference.low < (one.intervals["NDCG@10"].high - one.intervals["NDCG@10"].low) / 2


def test_reports_of_different_queries_are_not_compared() -> None:
    fewer = Judgments({"1": RATINGS["1"]}, {"1": "mouse"})

    with pytest.raises(RelevanceError, match="different queries"):
        compare(evaluate({}, JUDGMENTS, OPTIONS), evaluate({}, fewer, OPTIONS), OPTIONS)


class AlphabeticSearcher:
    def __init__(self) -> None:
        self.asked: list[tuple[str, int, list[str] | None]] = []

    def rank(self, query_text: str, limit: int, only: Sequence[str] | None = None) -> list[tuple[str, float]]:
        self.asked.append((query_text, limit, None if only is None else sorted(only)))
        found = [product for product in "abcdwxyz" if only is None or product in only]
        return [(product, -float(rank)) for rank, product in enumerate(found[:limit])]


def test_runs_ask_only_queries_that_can_be_answered() -> None:
    searcher, asked = AlphabeticSearcher(), list[None]()

    judged = judged_run(searcher, JUDGMENTS, lambda: asked.append(None))
    full = full_run(searcher, JUDGMENTS, 5, lambda: asked.append(None))

    assert searcher.asked == [
        ("mouse", 4, ["a", "b", "c", "d"]),
        ("screen", 1, ["x"]),
        ("mouse", 5, None),
        ("screen", 5, None),
    ]
    assert [product for product, _ in judged["1"]] == list("abcd")
    assert [product for product, _ in full["3"]] == list("abcdw")
    assert len(asked) == 4


@pytest.mark.data
def test_the_icecat_ratings_are_those_of_the_notes(shared_data: Path) -> None:
    judgments = read_csv_ratings(shared_data / "icecat_chorus" / "ratings.csv")
    perfect = {
        query_id: [(product, 0.0) for product, _ in sorted(rated.items(), key=lambda item: -item[1])]
        for query_id, rated in judgments.ratings.items()
    }
    report = evaluate(perfect, judgments, OPTIONS)

    assert (len(report.query_ids), report.left_out) == (75, 15)
    assert sum(map(len, judgments.ratings.values())) == 2_352
    assert report.intervals["NDCG@10"].mean == pytest.approx(1)
