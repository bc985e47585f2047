import numpy as np
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from encoders.letterbox import Letterbox


def cfg(**values: object) -> dict[str, object]:
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    return {"size": 32, "mean": mean, "std": std, "interpolation": "bicubic", "resize_mode": "shortest"} | values


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(90, 90), (91, 30), (30, 91), (7, 5)])
def test_pixels_are_those_of_open_clip_with_longest_on_white(interpolation: str, size: tuple[int, int]) -> None:
    image = noise(*size)
    values = cfg(interpolation=interpolation)
    theirs = image_transform_v2(PreprocessCfg(**values | {"resize_mode": "longest", "fill_color": 255}), is_train=False)
    letterbox = Letterbox.of_preprocess_cfg(values)
    pixels = torch.from_numpy(letterbox.apply(image).copy()).permute(2, 0, 1)[None].float()
    torch.testing.assert_close(letterbox.normalize(pixels)[0], theirs(image), atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["shortest", "longest"])
def test_nothing_is_cut_off_and_the_rest_is_white(mode: str) -> None:
    image = Image.new("RGB", (100, 400), "blue")
    image.paste("red", (0, 0, 100, 50))
    image.paste("red", (0, 350, 100, 400))
    pixels = Letterbox.of_preprocess_cfg(cfg(size=(64, 64), resize_mode=mode)).apply(image)
    assert pixels.shape == (64, 64, 3)
    assert pixels[1, 32].tolist() == pixels[62, 32].tolist() == [255, 0, 0]
    assert pixels[32, 32].tolist() == [0, 0, 255]
    assert pixels[:, :24].min() == pixels[:, 40:].min() == 255


def test_height_comes_before_width() -> None:
    assert Letterbox.of_preprocess_cfg(cfg(size=(16, 48))).apply(noise(40, 40)).shape == (16, 48, 3)


@pytest.mark.parametrize("size", [(1, 5_000), (5_000, 1)])
def test_the_thinnest_picture_keeps_a_line(size: tuple[int, int]) -> None:
    assert Letterbox.of_preprocess_cfg(cfg()).apply(Image.new("RGB", size, "black")).min() == 0


def test_squashed_pictures_fill_the_square() -> None:
    squashed = Letterbox.of_preprocess_cfg(cfg(resize_mode="squash")).apply(Image.new("RGB", (10, 90), "black"))
    assert squashed.max() == 0
