"""Recall and best results, by hand."""

import numpy as np

from learning.clip_evaluation import Recall, best, recall


def test_recall_counts_first_and_among_ten() -> None:
    similarities = np.zeros((3, 12), np.float32)
    similarities[0, 4] = 1  # first
    similarities[1] = np.arange(12)  # the right one, column 5, is the seventh
    similarities[2] = np.arange(12)  # column 0 is the last
    assert recall(similarities, np.array([4, 5, 0])) == Recall(at_1=1 / 3, at_10=2 / 3)


def test_a_model_that_tells_nothing_apart_scores_nothing() -> None:
    assert recall(np.ones((5, 20), np.float32), np.arange(5)) == Recall(at_1=0, at_10=0)


def test_best_are_highest_first() -> None:
    similarities = np.array([[0.1, 0.9, 0.5], [0.3, 0.2, 0.1]], np.float32)
    assert best(similarities, 2).tolist() == [[1, 2], [0, 1]]
