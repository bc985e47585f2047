import numpy as np
import pytest

from encoders.base import UnusableVector
from encoders.fusion import ConcatFusion, Fusion, WeightedFusion

EAST = np.array([1, 0], dtype=np.float32)
NORTH = np.array([0, 1], dtype=np.float32)
FUSIONS: list[Fusion] = [
    WeightedFusion({"text": 1, "image": 1}),
    ConcatFusion({"text": 2, "image": 2}, {"text": 1, "image": 1}),
]


@pytest.mark.parametrize("fusion", FUSIONS, ids=lambda fusion: fusion.release)
def test_fused_vectors_are_unit_float32_with_or_without_a_picture(fusion: Fusion) -> None:
    for vectors in ({"text": EAST, "image": NORTH}, {"text": EAST}):
        fused = fusion.fuse(vectors)
        assert fused.dtype == np.float32
        assert np.linalg.norm(fused) == pytest.approx(1)


def test_weights_pull_towards_the_heavier_part() -> None:
    fused = WeightedFusion({"text": 3, "image": 4}).fuse({"text": EAST, "image": NORTH})
    np.testing.assert_allclose(fused, [0.6, 0.8], atol=1e-6)


def test_a_negative_weight_takes_away() -> None:
    both = np.array([0.6, 0.8], dtype=np.float32)
    fused = WeightedFusion({"image": 1, "unwanted": -0.6}).fuse({"image": both, "unwanted": EAST})
    assert fused @ EAST < both @ EAST


def test_concatenation_keeps_the_places_of_what_is_missing() -> None:
    fusion = ConcatFusion({"text": 2, "image": 2}, {"text": 1, "image": 3})
    np.testing.assert_allclose(fusion.fuse({"image": NORTH}), [0, 0, 0, 1])
    np.testing.assert_allclose(fusion.fuse({"text": EAST, "image": NORTH}), [0.5, 0, 0, np.sqrt(0.75)], atol=1e-6)


def test_releases_tell_settings_apart() -> None:
    assert WeightedFusion({"text": 1}).release != WeightedFusion({"text": 2}).release


def test_parts_that_cancel_out_are_refused() -> None:
    with pytest.raises(UnusableVector):
        WeightedFusion({"text": 1, "image": 1}).fuse({"text": EAST, "image": -EAST})
    with pytest.raises(UnusableVector):  # what is left is rounding, not a direction
        WeightedFusion({"text": 1, "image": 1}).fuse({"text": EAST, "image": -EAST + 1e-5 * NORTH})
    with pytest.raises(UnusableVector):
        WeightedFusion({"text": 1}).fuse({})


@pytest.mark.parametrize("weights", [{"text": 1}, {"text": 1, "image": -1}])
def test_concatenation_needs_a_weight_for_each_part(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="needs a weight"):
        ConcatFusion({"text": 2, "image": 2}, weights)
