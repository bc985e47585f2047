"""What is said of rankers that were measured."""

from collections.abc import Sequence

import numpy as np
import pytest

from cli.ranking_report import worse_than_shown
from learning.ranked_lists import OrderQuality
from learning.ranking_experiment import Experiment, Kind
from learning.relevance import Interval, RelevanceOptions
from ranking.ranker_folder import TrainedRanker

OPTIONS = RelevanceOptions(resamples=200)


def measured(shown: Sequence[float], ranked: Sequence[float]) -> Experiment:
    orders = {
        name: OrderQuality(np.array(values), Interval(float(np.mean(values)), 0, 1))
        for name, values in {"as shown": shown, "trees": ranked}.items()
    }
    return Experiment([], [], orders, Kind.TREES, TrainedRanker(()), {}, {})


def test_a_ranker_that_is_worse_than_the_order_shown_is_warned_of() -> None:
    warning = worse_than_shown(measured([0.7, 0.8, 0.9] * 20, [0.4, 0.5, 0.6] * 20), OPTIONS)

    assert warning is not None
    assert "worse than the order shown, by 0.3000 [0.3000, 0.3000]" in warning
    assert "position bias" in warning


@pytest.mark.parametrize("ranked", [[0.9, 0.9, 0.9] * 20, [0.0, 0.8, 1.5] * 20])
def test_what_is_better_or_may_be_is_not(ranked: list[float]) -> None:
    assert worse_than_shown(measured([0.7, 0.8, 0.9] * 20, ranked), OPTIONS) is None
