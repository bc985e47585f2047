"""Two runs of the same queries, query by query."""

import pytest

from learning.qrels import Judgments, RelevanceError
from learning.relevance import RelevanceOptions
from learning.run_comparison import Placed, RunComparison, compare_runs

OPTIONS = RelevanceOptions(cutoff=3, resamples=200)
JUDGMENTS = Judgments(
    {"1": {"a": 3, "b": 0}, "2": {"c": 2}, "3": {"d": 1}, "4": {"e": 0}},
    {"1": "mouse", "2": "screen", "3": "desk", "4": "nothing"},
)


def run_of(**orders: str) -> dict[str, list[tuple[str, float]]]:
    return {name[1:]: [(product, 1.0) for product in order] for name, order in orders.items()}


def compared() -> RunComparison:
    before = run_of(q1="xba", q2="cxy", q3="dxy")
    return compare_runs(before, run_of(q1="abx", q2="xyzc", q3="dyx"), JUDGMENTS, OPTIONS)


def test_gains_come_first_and_losses_last() -> None:
    comparison = compared()

    assert [query.query_id for query in comparison.queries] == ["1", "3", "2"]
    assert [query.difference for query in comparison.queries] == pytest.approx([0.5, 0, -1])
    assert (comparison.gains, comparison.losses) == (1, 1)
    assert not any(query.same for query in comparison.queries)


def test_the_means_and_their_difference_belong_together() -> None:
    comparison = compared()

    assert comparison.difference.mean == pytest.approx(comparison.after.mean - comparison.before.mean)
    assert comparison.difference.low < comparison.difference.mean < comparison.difference.high


def test_each_product_says_its_rating_and_where_the_other_run_has_it() -> None:
    first, _, second = compared().queries

    assert first.first_after == [Placed("a", 1, 3, 3), Placed("b", 2, 0, 2), Placed("x", 3, None, 1)]
    assert second.first_before[0] == Placed("c", 1, 2, 4), "the other run has it behind the first ones"
    assert second.first_after[2] == Placed("z", 3, None, None)


def test_runs_of_other_queries_are_refused() -> None:
    with pytest.raises(RelevanceError, match="second run answers none"):
        compare_runs(run_of(q1="a"), run_of(q9="a"), JUDGMENTS, OPTIONS)
