import numpy as np
import pytest

from encoders.base import EncoderError, UnusableVector
from encoders.unit import by_length, readable, to_unit_vectors


def test_rows_get_length_one_and_float32() -> None:
    vectors = to_unit_vectors(np.array([[3.0, 4.0], [0.0, 1e-6]]), "m@1")
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0])
def test_every_unusable_row_is_named(bad: float) -> None:
    raw = np.ones((4, 2), dtype=np.float16)
    raw[[1, 3]] = bad
    with pytest.raises(UnusableVector, match=r"m@1 gave no finite, non-zero vector for inputs \[1, 3\]") as refused:
        to_unit_vectors(raw, "m@1")
    assert refused.value.positions == (1, 3)
    assert isinstance(refused.value, EncoderError)


def test_one_nan_makes_a_row_unusable() -> None:
    with pytest.raises(UnusableVector):
        to_unit_vectors(np.array([[1.0, np.nan]]), "m@1")


def test_large_values_do_not_overflow() -> None:
    assert to_unit_vectors(np.full((1, 4), 3e38, dtype=np.float32), "m@1")[0, 0] == pytest.approx(0.5)


def test_batches_hold_every_position_once_longest_first() -> None:
    batches = by_length([1, 5, 3, 5, 2], 2)
    assert batches == [[1, 3], [2, 4], [0]]
    assert by_length([], 2) == []


def test_lone_surrogates_become_question_marks() -> None:
    assert readable("a\ud800b 手机") == "a?b 手机"
