"""What every Ranker does, asked of the hand-set one, of trees, of networks and of a blend."""

from collections.abc import Callable, Mapping
from threading import Thread

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning.ranked_lists import ObservedList
from learning.ranker_training import NetworkOptions, TreeOptions, train_networks, train_trees
from ranking.attention_ranker import AttentionRanker
from ranking.blended_ranker import BlendedRanker
from ranking.hand_set import HandSetRanker
from ranking.rankers import Candidate, Ranker, RankingInput, deviation
from ranking.tree_ranker import TreeRanker

NAMES = ("score", "position", "taste")
DIMENSION = 4
RARELY_SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)


def some_input(seed: int, candidates: int, lines: int = 5, unknown: float = 0.2) -> RankingInput:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(candidates, len(NAMES))).astype(np.float32)
    values[rng.random(values.shape) < unknown] = np.nan
    return RankingInput(
        [Candidate(f"p{place}", place) for place in range(1, candidates + 1)],
        NAMES,
        values,
        rng.normal(size=(candidates, DIMENSION)).astype(np.float32),
        rng.normal(size=(lines, DIMENSION)).astype(np.float32),
        rng.uniform(-1, 1, lines).astype(np.float32),
    )


def some_lists() -> list[ObservedList]:
    """What has a high first feature was chosen, and what is like the first line of the history."""
    lists = []
    for seed in range(40):
        seen = some_input(seed, 8)
        liked = np.nan_to_num(seen.values[:, 0]) + seen.vectors @ seen.recent[0] * seen.recent_weights[0]
        gains = (liked > np.sort(liked)[-3]).astype(np.float32)
        lists.append(ObservedList(f"q{seed}", "ann", 1, seen, gains, np.arange(1, 9)))
    return lists


def made() -> Mapping[str, Ranker]:
    torch.set_num_threads(1)
    lists = some_lists()
    trees = TreeRanker(train_trees(lists, TreeOptions(rounds=15)), "trees@1")
    network = AttentionRanker(train_networks(lists, NetworkOptions(epochs=3, seeds=(0, 1))), "network@1")
    hand_set = HandSetRanker({"score": 1.0, "position": -0.5, "of no feature": 9.0})
    return {"hand-set": hand_set, "trees": trees, "network": network, "blend": BlendedRanker([trees, network])}


@pytest.fixture(scope="module")
def rankers() -> Mapping[str, Ranker]:
    return made()


@pytest.fixture(params=["hand-set", "trees", "network", "blend"])
def ranker(request: pytest.FixtureRequest, rankers: Mapping[str, Ranker]) -> Ranker:
    return rankers[request.param]


def test_it_names_its_release(ranker: Ranker) -> None:
    assert ranker.release


@RARELY_SLOW
@given(st.integers(0, 2**32), st.integers(0, 9), st.integers(0, 6), st.sampled_from([0.0, 0.3, 1.0]))
def test_each_candidate_has_one_finite_score(
    ranker: Ranker, seed: int, candidates: int, lines: int, unknown: float
) -> None:
    scores = ranker.score(some_input(seed, candidates, lines, unknown))

    assert scores.shape == (candidates,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


@RARELY_SLOW
@given(st.integers(0, 2**32), st.integers(0, 9), st.integers(0, 6))
def test_parts_add_up_to_the_score_but_for_what_all_candidates_share(
    ranker: Ranker, seed: int, candidates: int, lines: int
) -> None:
    seen = some_input(seed, candidates, lines)
    parts, scores = ranker.parts(seen), ranker.score(seen)
    sums = np.sum(list(parts.values()), axis=0)

    assert all(part.shape == (candidates,) for part in parts.values())
    assert set(NAMES) <= set(parts)
    np.testing.assert_allclose(sums - sums[:1], scores - scores[:1], atol=0.01 * max(deviation(scores), 0.05))


@RARELY_SLOW
@given(st.integers(0, 2**32), st.permutations(range(6)))
def test_the_order_in_which_candidates_come_changes_no_score(ranker: Ranker, seed: int, order: list[int]) -> None:
    seen = some_input(seed, 6)
    permuted = RankingInput(
        [seen.candidates[place] for place in order],
        NAMES,
        seen.values[order],
        seen.vectors[order],
        seen.recent,
        seen.recent_weights,
    )

    np.testing.assert_allclose(ranker.score(permuted), ranker.score(seen)[order], atol=1e-4)


def test_it_changes_nothing_of_what_it_sees(ranker: Ranker) -> None:
    seen, untouched = some_input(1, 5), some_input(1, 5)
    ranker.score(seen)
    ranker.parts(seen)

    for one, other in zip((seen.values, seen.vectors), (untouched.values, untouched.vectors), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_works_where_no_product_has_a_vector(ranker: Ranker) -> None:
    seen = some_input(1, 5)
    none = np.zeros((5, 0), np.float32)
    blind = RankingInput(seen.candidates, NAMES, seen.values, none, none, seen.recent_weights)

    assert np.isfinite(ranker.score(blind)).all()
    assert all(np.isfinite(part).all() for part in ranker.parts(blind).values())


def test_several_threads_get_the_scores_that_one_gets(ranker: Ranker) -> None:
    inputs = [some_input(seed, 20) for seed in range(8)]
    expected = [ranker.score(seen) for seen in inputs]
    found: dict[int, object] = {}

    def work(place: int) -> Callable[[], None]:
        return lambda: found.update({place: [ranker.score(inputs[place]).tolist() for _ in range(5)]})

    threads = [Thread(target=work(place)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {place: [scores.tolist()] * 5 for place, scores in enumerate(expected)}
