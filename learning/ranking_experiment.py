"""Rankers beside each other: trained on earlier lists, measured on later ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

import numpy as np

from learning.feature_weights import feature_directions, feature_weights
from learning.ranked_lists import ObservedList, OrderQuality, as_shown, at_random, order_quality, ranker_quality
from learning.ranker_training import (
    NetworkOptions,
    TreeOptions,
    inverse_propensities,
    one_thread,
    train_networks,
    train_trees,
)
from learning.relevance import RelevanceOptions
from ranking.feature_settings import Feature
from ranking.ranker_folder import TrainedRanker
from ranking.rankers import RankingInput


class Kind(StrEnum):
    TREES = "trees"
    NETWORK = "network"
    BLEND = "blend"


@dataclass(frozen=True, slots=True)
class ExperimentOptions:
    """`examination`: the chances that places are looked at, see `train_trees`; what is measured is weighed by them, too
    (Agarwal and others, SIGIR 2019). `share`: of the lists that train.
    """

    trees: TreeOptions = field(default_factory=TreeOptions)
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    examination: Sequence[float] = ()
    share: float = 0.8
    measure: RelevanceOptions = field(default_factory=RelevanceOptions)


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was measured on `test`. `orders` by name, the yardstick and the chosen kind among them.

    `weights`: how much of the chosen ranker's differences within a list each feature makes, all together 1;
    `directions`: from 1, where more of the feature always raises the score, to -1, where it always lowers it.
    """

    train: Sequence[ObservedList]
    test: Sequence[ObservedList]
    orders: Mapping[str, OrderQuality]
    chosen: Kind
    ranker: TrainedRanker
    weights: Mapping[str, float]
    directions: Mapping[str, float]


def split_by_time(lists: Sequence[ObservedList], share: float) -> tuple[Sequence[ObservedList], Sequence[ObservedList]]:
    """The first `share` of the lists, and the rest."""
    border = round(len(lists) * share)
    return lists[:border], lists[border:]


def training_steps(options: ExperimentOptions) -> int:
    """How often `on_step` is told of one training of all kinds: before the trees, after them, after each epoch."""
    return 2 + len(options.networks.seeds) * options.networks.epochs


def experiment_steps(options: ExperimentOptions, yardstick: Sequence[Feature] = ()) -> int:
    """How often `on_step` is told of an experiment: two trainings, the measuring, the yardstick."""
    return 2 * training_steps(options) + 1 + bool(yardstick)


@one_thread()
def run_experiment(
    features: Sequence[Feature],
    train: Sequence[ObservedList],
    test: Sequence[ObservedList],
    options: ExperimentOptions,
    yardstick: Sequence[Feature] = (),
    on_step: Callable[[str], None] = lambda _: None,
) -> Experiment:
    """Train all kinds on `train` and measure them on `test`, which chooses nothing: the kind that serves is the one
    that is best on the last part of `train` when it is trained on the part before.

    The lists may have more features than these. `yardstick`: the features of trees with LightGBM's usual settings;
    none: there is no yardstick. `on_step` is told `experiment_steps` times what is under way.
    """
    plain = train, test
    train, test = _with_features(train, features), _with_features(test, features)
    earlier, later = split_by_time(train, options.share)
    chosen = _best_kind(
        _train_all(features, earlier, options, partial(on_step, "choosing the kind of ranker")),
        _weighed(later, options),
        options.measure,
    )
    trained = _train_all(features, train, options, partial(on_step, "training"))
    on_step("measuring")
    test = _weighed(test, options)
    orders = {
        "random": at_random(test, options.measure),
        "as shown": as_shown(test, options.measure),
        **_rate_order(features, test, options.measure),
    }
    if yardstick:
        on_step("training the yardstick")
        orders["yardstick"] = _yardstick(*plain, yardstick, options)
    orders |= {kind: ranker_quality(test, ranker.ranker(), options.measure) for kind, ranker in trained.items()}
    ranker = trained[chosen].ranker()
    parts = [ranker.parts(each.input) for each in test]
    weights, directions = feature_weights(parts), feature_directions(test, parts)
    return Experiment(train, test, orders, chosen, trained[chosen], weights, directions)


def train_chosen(
    experiment: Experiment,
    features: Sequence[Feature],
    lists: Sequence[ObservedList],
    options: ExperimentOptions,
    report: Mapping[str, Any],
    on_step: Callable[[], None] = lambda: None,
) -> TrainedRanker:
    """The kind that the experiment chose, trained on these lists, with the report of the experiment. `on_step` is
    called `training_steps` times.
    """
    trained = _train_all(features, _with_features(lists, features), options, on_step)[experiment.chosen]
    return replace(trained, report=report)


def _train_all(
    features: Sequence[Feature],
    lists: Sequence[ObservedList],
    options: ExperimentOptions,
    on_step: Callable[[], None],
) -> dict[Kind, TrainedRanker]:
    on_step()
    trees = train_trees(lists, options.trees, options.examination)
    on_step()
    networks = train_networks(lists, options.networks, options.examination, on_step)
    return {
        Kind.TREES: TrainedRanker(features, trees),
        Kind.NETWORK: TrainedRanker(features, "", networks),
        Kind.BLEND: TrainedRanker(features, trees, networks),
    }


def _best_kind(trained: Mapping[Kind, TrainedRanker], lists: Sequence[ObservedList], options: RelevanceOptions) -> Kind:
    return max(trained, key=lambda kind: ranker_quality(lists, trained[kind].ranker(), options).mean.mean)


def _rate_order(
    features: Sequence[Feature], lists: Sequence[ObservedList], options: RelevanceOptions
) -> dict[str, OrderQuality]:
    """By the first feature that is a rate of clicks, where there is one."""
    rates = [place for place, one in enumerate(features) if one.source == "rate" and one.action == "click"]
    if not rates:
        return {}
    return {"click rate": order_quality(lists, [each.input.values[:, rates[0]] for each in lists], options)}


def _yardstick(
    train: Sequence[ObservedList],
    test: Sequence[ObservedList],
    features: Sequence[Feature],
    options: ExperimentOptions,
) -> OrderQuality:
    train, test = _with_features(train, features), _weighed(_with_features(test, features), options)
    usual = TreeOptions(rounds=50, learning_rate=0.1, leaves=31, least_in_leaf=20, l2=0.0, feature_fraction=0.8)
    trees = train_trees(train, usual, options.examination)
    return ranker_quality(test, TrainedRanker((), trees).ranker(), options.measure)


def _weighed(lists: Sequence[ObservedList], options: ExperimentOptions) -> Sequence[ObservedList]:
    """What was chosen where it is seldom looked at counts for what nobody saw there."""
    if not options.examination:
        return lists
    return [replace(each, gains=each.gains * inverse_propensities(each, options.examination)) for each in lists]


def _with_features(lists: Sequence[ObservedList], features: Sequence[Feature]) -> list[ObservedList]:
    names = [feature.name for feature in features]
    return [replace(each, input=_limited(each.input, names)) for each in lists]


def _limited(seen: RankingInput, names: Sequence[str]) -> RankingInput:
    columns = [seen.names.index(name) for name in names]
    return replace(seen, names=names, values=np.ascontiguousarray(seen.values[:, columns]))
