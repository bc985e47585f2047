"""Examination of places found in lists that were drawn by lot as they are served, and what a ranker gains by it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from learning.examination import examination_of_lists
from learning.ranked_lists import ObservedList, difference, ranker_quality
from learning.ranker_training import NetworkOptions, TreeOptions
from learning.ranking_experiment import ExperimentOptions, run_experiment, train_chosen
from learning.relevance import RelevanceOptions
from learning.showings import PropensityError
from ranking.exploration import drawn
from ranking.feature_settings import Feature, NumberFeature
from ranking.rankers import Candidate, RankingInput

LENGTH = 10
EXAMINED = 1 / np.arange(1.0, LENGTH + 1)
FEATURES: tuple[Feature, ...] = (NumberFeature(name="liked", field="liked"), NumberFeature(name="bait", field="bait"))
MEASURE = RelevanceOptions(resamples=100)
TREES = TreeOptions(rounds=15, learning_rate=0.1, feature_fraction=1.0)
NETWORK = NetworkOptions(epochs=2, learning_rate=0.02, hidden=8, seeds=(0,))


def shown_lists(
    number: int, share: float, seed: int = 0, places: int = LENGTH, first: str = "bait"
) -> list[ObservedList]:
    """The shop puts `bait` first, which nobody sees; a `share` of the lists is drawn by lot as the reranker does it.

    What is liked is clicked with the chance 0.6, else 0.2, where it is looked at: the n-th place with the chance 1/n.
    """
    rng = np.random.default_rng(seed)
    lists = []
    for each in range(number):
        liked, bait = rng.random(LENGTH) < 0.3, rng.normal(size=LENGTH)
        shop_order = np.argsort(-bait if first == "bait" else ~liked, kind="stable")
        draw = drawn(LENGTH, places, share, f"{seed}-{each}")
        order = shop_order[draw.order]
        clicked = rng.random(LENGTH) < EXAMINED * np.where(liked, 0.6, 0.2)[order]
        values = np.column_stack([liked, bait])[order].astype(np.float32)
        lists.append(observed(f"{seed}-{each}", values, clicked.astype(np.float32), draw.propensities))
    return lists


def observed(
    name: str, values: NDArray[np.float32], gains: NDArray[np.float32], propensities: NDArray[np.float64] | None
) -> ObservedList:
    none = np.zeros((len(values), 0), np.float32)
    places = np.arange(1, len(values) + 1)
    candidates = [Candidate(f"p{place}", int(place)) for place in places]
    seen = RankingInput(candidates, ("liked", "bait"), values, none, none[:0], np.zeros(0, np.float32))
    return ObservedList(name, "ann", 1, seen, gains, places, propensities)


def truly(lists: Sequence[ObservedList]) -> list[ObservedList]:
    """With what people like as the gain, seen or not."""
    liked = [replace(each, gains=each.input.values[:, 0]) for each in lists]
    return [each for each in liked if each.tells_something]


def test_lists_in_random_order_say_how_far_down_people_look() -> None:
    found = examination_of_lists(shown_lists(3_000, share=1.0, places=5))

    assert len(found.chances) == 5
    assert found.lists == 3_000
    assert found.chances == pytest.approx(EXAMINED[:5], rel=0.2)


def test_a_small_share_of_them_is_enough_where_there_are_many() -> None:
    found = examination_of_lists(shown_lists(4_000, share=0.3, places=3))

    assert found.chances == pytest.approx(EXAMINED[:3], rel=0.25)


def test_the_order_of_a_shop_that_knows_what_is_liked_changes_nothing() -> None:
    """In its own order the first place has the most clicks for two reasons, of which only one counts."""
    found = examination_of_lists(shown_lists(4_000, share=0.5, places=3, first="liked"))

    assert found.chances == pytest.approx(EXAMINED[:3], rel=0.25)


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        (shown_lists(50, share=0.0), "no list was shown in random order"),
        (
            [replace(each, propensities=None) for each in shown_lists(50, share=1.0)],
            "no list was shown in random order",
        ),
        (shown_lists(20, share=1.0), "20 lists in random order have too few clicks"),
        ([], "no list was shown in random order"),
    ],
)
def test_a_log_that_cannot_tell_is_said_to(lists: list[ObservedList], reason: str) -> None:
    with pytest.raises(PropensityError, match=reason):
        examination_of_lists(lists)


def test_places_that_few_clicks_tell_of_count_like_the_last_that_is_known() -> None:
    found = examination_of_lists(shown_lists(120, share=1.0))

    assert 2 <= len(found.chances) < LENGTH


def test_inverse_propensities_bring_back_the_order_that_the_places_hid() -> None:
    """What the shop puts first is clicked most; the few lists that it draws by lot say why."""
    lists = shown_lists(1_500, share=0.3, places=5)
    telling = [each for each in lists if each.tells_something]
    later = truly(shown_lists(150, share=1.0, seed=2))
    quality = {}
    for examination in ((), examination_of_lists(lists).chances):
        options = ExperimentOptions(TREES, NETWORK, examination, measure=MEASURE)
        experiment = run_experiment(FEATURES, telling[:-50], telling[-50:], options)
        ranker = train_chosen(experiment, FEATURES, telling, options, {}).ranker()
        quality[bool(examination)] = ranker_quality(later, ranker, MEASURE)

    gain = difference(quality[True], quality[False], MEASURE)
    assert gain.low > 0.05
