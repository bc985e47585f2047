"""What is said of rankers that were measured."""

from collections.abc import Sequence

import numpy as np
import pytest

from cli.ranking_commands import ranking_command
from cli.ranking_report import order_table, weight_table, worse_than_shown
from learning.ranked_lists import OrderQuality
from learning.ranking_experiment import Experiment, ExperimentOptions, Kind
from learning.relevance import Interval, RelevanceOptions
from ranking.ranker_folder import TrainedRanker
from tests.unit.learning.test_ranked_lists import observed

OPTIONS = RelevanceOptions(resamples=200)


def measured(shown: Sequence[float], ranked: Sequence[float]) -> Experiment:
    orders = {
        name: OrderQuality(np.array(values), Interval(float(np.mean(values)), 0, 1))
        for name, values in {"as shown": shown, "trees": ranked}.items()
    }
    return Experiment([], [observed([0, 1]) for _ in shown], orders, Kind.TREES, TrainedRanker(()), {}, {})


def test_a_ranker_that_is_worse_than_the_order_shown_is_warned_of() -> None:
    warning = worse_than_shown(measured([0.7, 0.8, 0.9] * 20, [0.4, 0.5, 0.6] * 20), OPTIONS)

    assert warning is not None
    assert "worse than the order shown, by 0.3000 [0.3000, 0.3000]" in warning
    assert "position bias" in warning


@pytest.mark.parametrize("ranked", [[0.9, 0.9, 0.9] * 20, [0.0, 0.8, 1.5] * 20])
def test_what_is_better_or_may_be_is_not(ranked: list[float]) -> None:
    assert worse_than_shown(measured([0.7, 0.8, 0.9] * 20, ranked), OPTIONS) is None


def test_what_the_tables_say_is_in_the_help() -> None:
    experiment = measured([0.7, 0.8], [0.7, 0.9])
    tables = order_table(experiment, ExperimentOptions()), weight_table(experiment)
    words = {str(column.header) for table in tables for column in table.columns} - {"order", "feature", ""}

    assert {word for word in words if word not in (ranking_command.__doc__ or "")} == set()
    assert words >= {"re-ranked gains", "list 1", "more of it"}
