"""Rankers that learn from lists in which a preference was planted."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from learning.ranked_lists import ObservedList, as_shown, difference, ranker_quality
from learning.ranker_training import (
    NetworkOptions,
    NothingToLearn,
    TreeOptions,
    inverse_propensities,
    train_networks,
    train_trees,
)
from learning.relevance import RelevanceOptions
from ranking.attention_ranker import AttentionRanker
from ranking.rankers import Candidate, Ranker, RankingInput
from ranking.tree_ranker import TreeRanker

NAMES = ("liked", "bait", "noise")
LENGTH = 10
OPTIONS = RelevanceOptions(resamples=200)
TREES = TreeOptions(rounds=40, learning_rate=0.1, feature_fraction=1.0)
NETWORK = NetworkOptions(epochs=8, learning_rate=0.02, hidden=8, seeds=(0,))
Train = Callable[[Sequence[ObservedList], Sequence[float]], Ranker]


def trees(lists: Sequence[ObservedList], examination: Sequence[float] = ()) -> Ranker:
    return TreeRanker(train_trees(lists, TREES, examination), "trees")


def network(lists: Sequence[ObservedList], examination: Sequence[float] = ()) -> Ranker:
    torch.set_num_threads(1)
    return AttentionRanker(train_networks(lists, NETWORK, examination), "network")


both = pytest.mark.parametrize("train", [trees, network])


def drawn_lists(seed: int, number: int, examination: NDArray[np.float64], *, by_bait: bool) -> list[ObservedList]:
    """What is liked is chosen with the chance 0.7, else 0.1, where it is looked at; `bait` decides nothing but the
    places, where it is told to.
    """
    rng = np.random.default_rng(seed)
    lists = []
    for name in range(number):
        liked, bait = rng.random(LENGTH) < 0.3, rng.normal(size=LENGTH)
        places = np.argsort(np.argsort(-bait)) + 1 if by_bait else rng.permutation(LENGTH) + 1
        looked_at = rng.random(LENGTH) < examination[places - 1]
        chosen = looked_at & (rng.random(LENGTH) < np.where(liked, 0.7, 0.1))
        values = np.column_stack([liked, bait, rng.normal(size=LENGTH)]).astype(np.float32)
        lists.append(observed(f"{seed}-{name}", values, chosen, places))
    return lists


def observed(
    name: str,
    values: NDArray[np.float32],
    chosen: NDArray[np.bool_],
    places: NDArray[np.int64],
    vectors: NDArray[np.float32] | None = None,
    recent: NDArray[np.float32] | None = None,
) -> ObservedList:
    none = np.zeros((len(values), 0), np.float32)
    seen = RankingInput(
        [Candidate(f"p{place}", place) for place in range(1, len(values) + 1)],
        NAMES,
        values,
        none if vectors is None else vectors,
        none[:0] if recent is None else recent,
        np.ones(0 if recent is None else len(recent), np.float32),
    )
    return ObservedList(name, "ann", 1, seen, chosen.astype(np.float32), places)


EVERYTHING = np.ones(LENGTH)
BIASED = 1 / np.arange(1.0, LENGTH + 1)


@both
def test_what_was_planted_is_learned(train: Train) -> None:
    ranker = train(drawn_lists(0, 300, EVERYTHING, by_bait=False), ())
    later = [each for each in drawn_lists(1, 100, EVERYTHING, by_bait=False) if each.tells_something]
    gain = difference(ranker_quality(later, ranker, OPTIONS), as_shown(later, OPTIONS), OPTIONS)

    assert gain.low > 0.1


def pull_of_bait(ranker: Ranker) -> float:
    """How much more of the score comes with bait than with what is liked, over lists of all sorts of products."""
    values = np.concatenate([each.input.values for each in drawn_lists(2, 60, EVERYTHING, by_bait=False)])
    scores = np.concatenate([ranker.score(each.input) for each in drawn_lists(2, 60, EVERYTHING, by_bait=False)])
    liked, bait = (abs(float(np.corrcoef(values[:, column], scores)[0, 1])) for column in (0, 1))
    return bait / liked


@both
def test_weights_by_propensity_undo_the_bias_of_places(train: Train) -> None:
    biased = drawn_lists(3, 1500, BIASED, by_bait=True)
    unweighted, weighted = pull_of_bait(train(biased, ())), pull_of_bait(train(biased, BIASED.tolist()))

    assert unweighted > 0.6
    assert weighted < unweighted / 2


@both
def test_equal_lists_give_equal_rankers(train: Train) -> None:
    lists = drawn_lists(0, 60, EVERYTHING, by_bait=False)

    assert train(lists, ()).score(lists[0].input).tolist() == train(lists, ()).score(lists[0].input).tolist()


def test_another_seed_gives_another_network() -> None:
    lists = drawn_lists(0, 60, EVERYTHING, by_bait=False)
    one, other = train_networks(lists, NetworkOptions(epochs=1, seeds=(0, 1)))

    assert one.line.weight.tolist() != other.line.weight.tolist()


def test_lists_that_tell_nothing_change_nothing() -> None:
    lists = drawn_lists(0, 60, EVERYTHING, by_bait=False)
    values = np.zeros((3, 3), np.float32)
    mute = [
        observed("all", values, np.ones(3, np.bool_), np.arange(1, 4)),
        observed("none", values, np.zeros(3, np.bool_), np.arange(1, 4)),
        observed("one", values[:1], np.ones(1, np.bool_), np.arange(1, 2)),
        observed("empty", values[:0], np.ones(0, np.bool_), np.arange(0)),
    ]

    telling = [each for each in lists if each.tells_something]
    for train in (trees, network):
        assert train([*lists, *mute]).score(lists[0].input).tolist() == train(telling).score(lists[0].input).tolist()
        with pytest.raises(NothingToLearn, match="none of 4 lists"):
            train(mute)


def test_a_network_learns_what_is_like_what_was_liked() -> None:
    """No feature tells anything; lists of before there were vectors are among them."""
    rng = np.random.default_rng(0)
    lists = []
    for name in range(500):
        recent = rng.normal(size=(rng.integers(1, 4), 3)).astype(np.float32)
        vectors = rng.normal(size=(6, 3)).astype(np.float32)
        like = vectors @ recent.sum(axis=0)
        values = np.zeros((6, 3), np.float32)
        lists.append(observed(f"{name}", values, like > np.median(like), np.arange(1, 7), vectors, recent))
    blind = [observed(f"blind{n}", np.zeros((6, 3), np.float32), np.arange(6) > 2, np.arange(1, 7)) for n in range(9)]
    ranker = network([*blind, *lists[:400]])
    later = lists[400:]

    assert difference(ranker_quality(later, ranker, OPTIONS), as_shown(later, OPTIONS), OPTIONS).low > 0.15


@both
def test_a_feature_that_was_the_same_everywhere_moves_nothing_when_it_tells_something_later(train: Train) -> None:
    lists = drawn_lists(0, 60, EVERYTHING, by_bait=False)
    for each in lists:
        each.input.values[:, 2] = 0.5
    ranker = train(lists, ())
    [shown] = drawn_lists(1, 1, EVERYTHING, by_bait=False)
    before = ranker.score(shown.input)
    shown.input.values[:, 2] *= 100

    assert ranker.score(shown.input).tolist() == before.tolist()


def test_places_beyond_the_last_are_looked_at_like_it() -> None:
    [shown] = drawn_lists(0, 1, EVERYTHING, by_bait=False)
    weights = inverse_propensities(shown, [1.0, 0.5])

    assert weights[shown.positions == 1].tolist() == [1]
    assert set(weights[shown.positions > 1].tolist()) == {2}
    assert set(inverse_propensities(shown, ()).tolist()) == {1}
