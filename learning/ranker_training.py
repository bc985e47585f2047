"""Rankers that learn from lists: boosted trees by lambdarank, networks by a listwise loss."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import torch
from torch import Tensor, nn

from learning.ranked_lists import ObservedList
from ranking.rankers import Numbers
from ranking.ranking_network import NetworkShape, RankingNetwork


class NothingToLearn(ValueError):
    """No list tells anything: in each of them all products were chosen, or none."""


@dataclass(frozen=True, slots=True)
class TreeOptions:
    rounds: int = 120
    learning_rate: float = 0.05
    leaves: int = 16
    least_in_leaf: int = 200
    l2: float = 10.0
    feature_fraction: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """`seeds`: one network each; `attention`: over the shopper's recent products, where products have vectors."""

    epochs: int = 6
    learning_rate: float = 0.003
    weight_decay: float = 0.001
    batch_lists: int = 64
    hidden: int = 32
    attention: bool = True
    seeds: Sequence[int] = (0, 1, 2)


def train_trees(lists: Sequence[ObservedList], options: TreeOptions, examination: Sequence[float] = ()) -> str:
    """LightGBM's text of the model. Equal lists and options give an equal model. Raises NothingToLearn.

    `examination`: the chances that the places 1, 2, ... are looked at, the last one for all that follow. What was
    chosen there counts the more the rarer it is looked at (inverse propensity: Joachims and others, WSDM 2017).
    """
    lists = _telling(lists)
    values = np.concatenate([each.input.values for each in lists])
    gains = np.concatenate([each.gains for each in lists])
    weights = np.concatenate([inverse_propensities(each, examination) for each in lists])
    grades = np.unique(gains)
    data = lgb.Dataset(
        values,
        np.searchsorted(grades, gains),
        group=[len(each.gains) for each in lists],
        weight=np.where(gains > 0, weights, 1.0),
        feature_name=list(lists[0].input.names),
    )
    parameters = {
        "objective": "lambdarank",
        "label_gain": grades.tolist(),
        "lambdarank_truncation_level": max(len(each.gains) for each in lists),
        "learning_rate": options.learning_rate,
        "num_leaves": options.leaves,
        "min_data_in_leaf": min(options.least_in_leaf, max(1, len(values) // 100)),
        "lambda_l2": options.l2,
        "feature_fraction": options.feature_fraction,
        "seed": options.seed,
        "deterministic": True,
        "num_threads": 1,
        "verbose": -1,
    }
    text: str = lgb.train(parameters, data, options.rounds).model_to_string()
    return text


def train_networks(
    lists: Sequence[ObservedList],
    options: NetworkOptions,
    examination: Sequence[float] = (),
    on_epoch: Callable[[], None] = lambda: None,
) -> list[RankingNetwork]:
    """One for each seed, by a softmax over each list (ListNet: Cao and others, ICML 2007), weighed as trees are.

    Equal lists and options give equal networks. `on_epoch` is called after each epoch of each network. Raises
    NothingToLearn.
    """
    lists = _telling(lists)
    return [_train_network(lists, options, examination, seed, on_epoch) for seed in options.seeds]


@contextmanager
def one_thread() -> Iterator[None]:
    """For networks so small that threads would wait for one another, most of all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _telling(lists: Sequence[ObservedList]) -> list[ObservedList]:
    telling = [each for each in lists if each.tells_something]
    if not telling:
        raise NothingToLearn(f"there is nothing to learn: none of {len(lists)} lists has both what was chosen and not")
    return telling


def inverse_propensities(observed: ObservedList, examination: Sequence[float]) -> Numbers:
    """One for each candidate, by the place where it was shown."""
    if not examination:
        return np.ones(len(observed.gains), np.float32)
    chances = np.array(examination, np.float32)
    places = np.minimum(observed.positions, len(chances)) - 1
    weights: Numbers = 1 / chances[places]
    return weights


def _train_network(
    lists: Sequence[ObservedList],
    options: NetworkOptions,
    examination: Sequence[float],
    seed: int,
    on_epoch: Callable[[], None],
) -> RankingNetwork:
    rng = np.random.default_rng(seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _new_network(lists, options)
        optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
        steps = options.epochs * len(list(_batches(lists, options.batch_lists, rng)))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, steps, pct_start=0.2)
        network.train()
        for _ in range(options.epochs):
            for batch in _batches(lists, options.batch_lists, rng):
                loss = listwise_loss(network(*_tensors(batch, network.shape.vector)), *_wanted(batch, examination))
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            on_epoch()
    return network.eval()


def listwise_loss(scores: Tensor, gains: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of each list's softmax with what was chosen; a list counts by the root of how much that is."""
    wanted = gains * weights
    losses = -(torch.log_softmax(scores, dim=1) * wanted).sum(dim=1) / wanted.sum(dim=1).sqrt()
    return losses.mean()


def _new_network(lists: Sequence[ObservedList], options: NetworkOptions) -> RankingNetwork:
    """Blind to features that are the same everywhere in these lists: nothing is learned of what they tell elsewhere."""
    dimension = max(each.input.vectors.shape[1] for each in lists) if options.attention else 0
    network = RankingNetwork(NetworkShape(len(lists[0].input.names), dimension, options.hidden))
    values = np.concatenate([each.input.values for each in lists]).astype(np.float64)
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, (values - mean) ** 2, 0).sum(axis=0) / count)
    network.mean.copy_(torch.from_numpy(mean))
    network.deviation.copy_(torch.from_numpy(np.where(deviation > 1e-6, deviation, np.inf)))
    return network


def _batches(lists: Sequence[ObservedList], size: int, rng: np.random.Generator) -> Iterator[list[ObservedList]]:
    """In an order of chance; those of one batch are equally long."""
    by_length: defaultdict[int, list[ObservedList]] = defaultdict(list)
    for place in rng.permutation(len(lists)):
        by_length[len(lists[place].gains)].append(lists[place])
    batches = [group[start : start + size] for group in by_length.values() for start in range(0, len(group), size)]
    yield from (batches[place] for place in rng.permutation(len(batches)))


def _tensors(batch: Sequence[ObservedList], dimension: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    inputs = [each.input for each in batch]
    recent = nn.utils.rnn.pad_sequence([_vectors(one.recent, dimension) for one in inputs], batch_first=True)
    surprise = nn.utils.rnn.pad_sequence([torch.from_numpy(one.recent_weights) for one in inputs], batch_first=True)
    values = torch.from_numpy(np.stack([one.values for one in inputs]))
    return values, torch.stack([_vectors(one.vectors, dimension) for one in inputs]), recent, surprise


def _vectors(vectors: Numbers, dimension: int) -> Tensor:
    """Zeros where there were no vectors yet; no dimension where they are not wanted."""
    return torch.from_numpy(vectors) if vectors.shape[1] == dimension else torch.zeros((len(vectors), dimension))


def _wanted(batch: Sequence[ObservedList], examination: Sequence[float]) -> tuple[Tensor, Tensor]:
    gains = torch.from_numpy(np.stack([each.gains for each in batch]))
    weights = torch.from_numpy(np.stack([inverse_propensities(each, examination) for each in batch]))
    return gains, weights
