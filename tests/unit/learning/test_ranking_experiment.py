"""Rankers beside each other."""

from collections import Counter

import numpy as np
import pytest

from learning.ranker_training import NetworkOptions, TreeOptions
from learning.ranking_experiment import (
    ExperimentOptions,
    experiment_steps,
    run_experiment,
    train_chosen,
    training_steps,
)
from learning.relevance import RelevanceOptions
from ranking.feature_settings import Feature, NumberFeature
from tests.unit.learning.test_ranker_training import LENGTH, NAMES, drawn_lists

FEATURES = tuple(NumberFeature(name=name, field=name) for name in NAMES)
OPTIONS = ExperimentOptions(
    TreeOptions(rounds=2), NetworkOptions(epochs=2, hidden=4, seeds=(0, 1)), measure=RelevanceOptions(resamples=20)
)


@pytest.mark.parametrize("yardstick", [(), FEATURES])
def test_each_step_is_told_so_that_it_can_be_counted(yardstick: tuple[Feature, ...]) -> None:
    lists = [each for each in drawn_lists(0, 60, np.ones(LENGTH), by_bait=False) if each.tells_something]
    told: Counter[str] = Counter()
    experiment = run_experiment(FEATURES, lists[:40], lists[40:], OPTIONS, yardstick, lambda name: told.update([name]))
    trained: list[None] = []
    train_chosen(experiment, FEATURES, lists, OPTIONS, {}, lambda: trained.append(None))

    assert told.total() == experiment_steps(OPTIONS, yardstick)
    assert told["training"] == told["choosing the kind of ranker"] == len(trained) == training_steps(OPTIONS) == 6
