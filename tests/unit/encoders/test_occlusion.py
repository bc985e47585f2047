"""Covering parts of a picture shows where a model looks, whatever the model is."""

import numpy as np
import pytest
from PIL import Image

from encoders.base import Vectors
from encoders.occlusion import CELLS, OcclusionTooSlow, similarity_map
from encoders.unit import to_unit_vectors

RED = np.array([1.0, 0.0], dtype=np.float32)


class _RedMeter:
    """The first dimension is the share of red pixels, the second the rest."""

    release, dimension, batch_size = "red-meter@1", 2, 8

    def __init__(self) -> None:
        self.pictures = 0

    def understands(self, text: str) -> bool:
        return True

    def encode_texts(self, texts: list[str]) -> Vectors:
        raise NotImplementedError

    def encode_images(self, images: list[Image.Image]) -> Vectors:
        self.pictures += len(images)
        shares = [float((np.asarray(image)[..., 1] < 128).mean()) for image in images]
        return to_unit_vectors(np.array([[share, 1 - share] for share in shares]), self.release)


def _with_red(box: tuple[int, int, int, int], size: tuple[int, int] = (70, 70)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    picture.paste((255, 0, 0), box)
    return picture


def _never() -> bool:
    return False


@pytest.mark.parametrize(("column", "row"), [(0, 0), (3, 3), (6, 1), (2, 6)])
def test_the_hottest_cell_is_where_the_thing_is(column: int, row: int) -> None:
    picture = _with_red((10 * column, 10 * row, 10 * column + 10, 10 * row + 10))
    found = similarity_map(_RedMeter(), picture, RED, _never)
    assert found.values.shape == (CELLS, CELLS)
    assert np.unravel_index(found.values.argmax(), found.values.shape) == (row, column)
    assert (found.values.min(), found.values.max()) == (0, 1)
    far = np.abs(np.add.outer(np.arange(CELLS) - row, np.zeros(CELLS))) > 1
    assert found.values[far].max() == 0


def test_a_wide_picture_is_covered_whole() -> None:
    found = similarity_map(_RedMeter(), _with_red((180, 0, 210, 30), (210, 30)), RED, _never)
    assert found.values[:, -1].min() > 0
    assert found.values[:, :-2].max() == 0


@pytest.mark.parametrize("size", [(1, 1), (3, 200)])
def test_a_picture_of_few_pixels_has_a_map_too(size: tuple[int, int]) -> None:
    assert np.isfinite(similarity_map(_RedMeter(), Image.new("RGB", size, "red"), RED, _never).values).all()


def test_nothing_is_hot_where_nothing_matches() -> None:
    found = similarity_map(_RedMeter(), Image.new("RGB", (70, 70), "white"), RED, _never)
    assert (found.values.max(), found.similarity) == (0, 0)


def test_the_similarity_is_that_of_the_whole_picture() -> None:
    picture = _with_red((0, 0, 35, 70))
    assert similarity_map(_RedMeter(), picture, RED, _never).similarity == pytest.approx(2**-0.5)


def test_it_ends_when_the_time_is_up() -> None:
    encoder = _RedMeter()
    answers = iter([False, True])
    with pytest.raises(OcclusionTooSlow):
        similarity_map(encoder, _with_red((0, 0, 9, 9)), RED, lambda: next(answers))
    assert encoder.pictures < 20
