"""Pictures: the same for the same numbers, and each attribute visible."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS, Kind, Look
from demo.drawn_shop.pictures import draw_picture
from demo.drawn_shop.rendering import Series, render, training_pool

_MEANS = {
    "dress": (115, 50, 54),
    "t-shirt": (167, 146, 172),
    "trousers": (198, 191, 136),
    "skirt": (128, 117, 144),
    "sneaker": (131, 177, 148),
    "boot": (243, 239, 246),
    "handbag": (80, 67, 89),
    "backpack": (106, 99, 97),
    "watch": (229, 235, 225),
    "mug": (69, 76, 74),
    "lamp": (240, 225, 221),
    "chair": (95, 79, 71),
    "phone case": (202, 203, 160),
    "hat": (161, 176, 165),
    "umbrella": (119, 104, 111),
    "bottle": (219, 217, 221),
}


def _pixels(picture: Image.Image) -> NDArray[np.int16]:
    return np.asarray(picture, np.int16)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_arguments_draw_equal_pictures_and_seeds_differ(kind: Kind) -> None:
    look = Look(kind, "blue", "dotted")
    first = _pixels(draw_picture(look, 1))
    assert first.shape == (64, 64, 3)
    assert (first == _pixels(draw_picture(look, 1))).all()
    assert (first != _pixels(draw_picture(look, 2))).any()


@pytest.mark.parametrize(("kind", "mean"), _MEANS.items())
def test_drawings_are_those_that_the_shipped_model_was_trained_on(kind: Kind, mean: tuple[int, int, int]) -> None:
    """Drawings that change ask for a new pool, a new training and then new numbers here."""
    number = KINDS.index(kind)
    look = Look(kind, COLOURS[number % len(COLOURS)], PATTERNS[number % len(PATTERNS)])
    drawn = _pixels(draw_picture(look, 7)).mean(axis=(0, 1))
    assert drawn == pytest.approx(mean, abs=2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_product_fills_a_good_part_of_a_clean_picture(kind: Kind) -> None:
    red = np.asarray(draw_picture(Look(kind, "red", "plain"), 3, 128, clean=True).convert("HSV"), np.int16)
    hue, saturation = red[..., 0], red[..., 1]
    share = ((np.minimum(hue, 256 - hue) < 14) & (saturation > 120)).mean()
    assert 0.05 < share < 0.75


@pytest.mark.parametrize("colour", COLOURS)
def test_the_colour_changes_the_picture(colour: str) -> None:
    other = "blue" if colour != "blue" else "red"
    mine = _pixels(draw_picture(Look("dress", colour, "plain"), 4, clean=True))  # type: ignore[arg-type]
    theirs = _pixels(draw_picture(Look("dress", other, "plain"), 4, clean=True))
    assert np.abs(mine[28:36, 28:36].mean((0, 1)) - theirs[28:36, 28:36].mean((0, 1))).max() > 20


def test_patterns_are_busier_than_plain_cloth() -> None:
    def unrest(pattern: str) -> float:
        middle = [
            _pixels(draw_picture(Look("t-shirt", "green", pattern), seed, clean=True))[26:46, 26:38]  # type: ignore[arg-type]
            for seed in range(6)
        ]
        return float(np.mean([pixels.std(axis=(0, 1)).mean() for pixels in middle]))

    plain = unrest("plain")
    assert all(unrest(pattern) > 2 * plain for pattern in PATTERNS if pattern != "plain")


def test_rendering_in_processes_gives_the_same_pictures_in_order() -> None:
    looks = [Look("mug", "red", "plain"), Look("hat", "pink", "striped"), Look("boot", "black", "checked")]
    series, heard = Series(first_seed=5, count=2, side=32, clean=False), list[int]()
    one = list(render(looks, series, 1, heard.append))
    two = list(render(looks, series, 2, lambda done: None))
    assert all((first == second).all() for first, second in zip(one, two, strict=True))
    assert (one[1][1] == np.asarray(draw_picture(looks[1], 6, 32))).all()
    assert heard == [1, 2, 3]


def test_the_pool_is_rendered_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    looks = (Look("mug", "red", "plain"), Look("hat", "pink", "striped"))
    monkeypatch.setattr("demo.drawn_shop.rendering.split_looks", lambda: type("Split", (), {"trained": looks}))
    heard: list[int] = []
    pool = training_pool(tmp_path / "cache", 3, 32, 1, heard.append)
    assert pool.shape == (2, 3, 32, 32, 3)
    assert (pool[1, 2] == np.asarray(draw_picture(looks[1], 2, 32))).all()
    assert (training_pool(tmp_path / "cache", 3, 32, 1, heard.append) == pool).all()
    assert heard == [1, 2]
    assert [file.suffix for file in (tmp_path / "cache").iterdir()] == [".npy"]
