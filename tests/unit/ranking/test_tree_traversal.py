"""Scores of trees looked up for a whole list: as LightGBM's own, whatever the trees ask and whatever is not known."""

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from ranking.rankers import Numbers
from ranking.tree_traversal import MOST_LEAVES, NotTraversable, TreeTraversal


def trained(values: Numbers, **parameters: Any) -> lgb.Booster:
    rng = np.random.default_rng(1)
    wanted = np.nan_to_num(values[:, 0]) * np.nan_to_num(values[:, 1]) + rng.normal(size=len(values)) > 0.5
    chosen = {"objective": "lambdarank", "num_leaves": MOST_LEAVES, "min_data_in_leaf": 3, "verbose": -1} | parameters
    categories = chosen.pop("categorical_feature", "auto")
    groups = [20] * (len(values) // 20)
    data = lgb.Dataset(values, wanted.astype(int), group=groups, categorical_feature=categories, params=chosen)
    return lgb.train(chosen | {"num_threads": 1, "deterministic": True}, data, 12)


def some_values(unknown: float, seed: int = 0, steps: int = 7) -> Numbers:
    """Few different numbers, so that many are equal to a threshold; 0 and numbers below it among them."""
    rng = np.random.default_rng(seed)
    values = (rng.integers(-steps, steps, size=(400, 4)) / 4).astype(np.float32)
    values[rng.random(values.shape) < unknown] = np.nan
    return values


@pytest.mark.parametrize("in_training", [0.0, 0.3], ids=["all known in training", "not all known"])
@pytest.mark.parametrize("unknown", [0.0, 0.3, 1.0])
def test_scores_are_those_of_lightgbm(in_training: float, unknown: float) -> None:
    booster = trained(some_values(in_training))
    asked = some_values(unknown, seed=2, steps=9)
    scores = TreeTraversal(booster.dump_model()).scores(asked)
    assert len(set(scores.tolist())) > 1 or unknown == 1.0
    np.testing.assert_allclose(scores, booster.predict(asked), rtol=0, atol=1e-12)


def test_a_threshold_itself_goes_where_lightgbm_says() -> None:
    booster = trained(some_values(0.1))
    thresholds = booster.trees_to_dataframe()["threshold"].dropna().to_numpy(np.float64)
    asked = np.repeat(thresholds[np.abs(thresholds) > 1e-30, np.newaxis], 4, axis=1)  # it takes tiny numbers for 0
    scores = TreeTraversal(booster.dump_model()).scores(asked)  # type: ignore[arg-type]
    np.testing.assert_allclose(scores, booster.predict(asked), rtol=0, atol=1e-12)


def test_trees_that_never_split_give_what_they_give() -> None:
    booster = trained(np.ones((40, 4), np.float32))
    asked = some_values(0.2)
    np.testing.assert_allclose(TreeTraversal(booster.dump_model()).scores(asked), booster.predict(asked), atol=1e-12)


@pytest.mark.parametrize(
    "parameters",
    [{"num_leaves": MOST_LEAVES + 1}, {"objective": "binary"}, {"zero_as_missing": True}, {"categorical_feature": [2]}],
    ids=lambda parameters: next(iter(parameters)),
)
def test_what_it_does_not_know_is_refused(parameters: dict[str, Any]) -> None:
    values = some_values(0.1)
    values[:, 2] = np.abs(values[:, 2]) * 4
    booster = trained(values, **parameters)
    with pytest.raises(NotTraversable):
        TreeTraversal(booster.dump_model())
