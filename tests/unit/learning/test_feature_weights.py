"""How much each feature decides, and in which direction."""

import numpy as np
import pytest

from learning.feature_weights import feature_directions, feature_weights
from learning.ranked_lists import ObservedList
from ranking.hand_set import HandSetRanker
from ranking.rankers import Candidate, RankingInput

NAMES = ("liked", "price", "same", "unweighed")


def observed(*rows: tuple[float, ...]) -> ObservedList:
    none = np.zeros((len(rows), 0), np.float32)
    candidates = [Candidate(f"p{place}", place) for place in range(1, len(rows) + 1)]
    seen = RankingInput(candidates, NAMES, np.array(rows, np.float32), none, none[:0], np.zeros(0, np.float32))
    return ObservedList("q", "ann", 1, seen, np.zeros(len(rows), np.float32), np.arange(1, len(rows) + 1))


LISTS = [observed((0, 10, 5, 1), (1, 20, 5, 0), (2, np.nan, 5, 1)), observed((3, 5, 1, 0), (1, 8, 1, 3))]
RANKER = HandSetRanker({"liked": 3.0, "price": -0.1, "same": 7.0})
PARTS = [RANKER.parts(each.input) for each in LISTS]


def test_shares_are_of_what_differs_within_lists_the_most_first() -> None:
    weights = feature_weights(PARTS)

    assert list(weights) == ["liked", "price", "same", "unweighed"]
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["same"] == weights["unweighed"] == 0


def test_directions_say_whether_more_of_a_feature_raises_the_score() -> None:
    directions = feature_directions(LISTS, PARTS)

    assert directions == pytest.approx({"liked": 1, "price": -1})
