"""What the small CLIP looks at in a drawn picture is the product."""

import numpy as np
import pytest
from PIL import Image

from demo.drawn_shop.captions import Language, canonical_caption
from demo.drawn_shop.looks import Look
from demo.drawn_shop.pictures import draw_outline, draw_picture
from encoders.base import ImageEncoder
from encoders.image import OpenClipEncoder
from encoders.occlusion import CELLS, similarity_map
from encoders.settings import ImageEncoderSettings

_SEED = 400_000
_LOOKS = (
    Look("mug", "red", "plain"),
    Look("dress", "blue", "striped"),
    Look("sneaker", "green", "dotted"),
    Look("lamp", "yellow", "checked"),
)


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    return OpenClipEncoder(ImageEncoderSettings())


def _outline(look: Look) -> np.ndarray:
    """The share of each cell that the product fills."""
    outline = draw_outline(look, _SEED).resize((CELLS, CELLS), Image.Resampling.BOX)
    return np.asarray(outline, dtype=np.float64) / 255


@pytest.mark.parametrize(("look", "language"), list(zip(_LOOKS, ("en", "zh", "en", "zh"), strict=True)))
def test_the_heat_lies_on_the_product(encoder: ImageEncoder, look: Look, language: Language) -> None:
    vector = encoder.encode_texts([canonical_caption(look, language)])[0]
    heat = similarity_map(encoder, draw_picture(look, _SEED), vector, lambda: False).values
    product = _outline(look)
    on_product = float((heat * product).sum() / heat.sum())
    assert on_product > 1.5 * product.mean()
    assert product[np.unravel_index(heat.argmax(), heat.shape)] > 0.5


def test_the_heat_moves_with_the_product(encoder: ImageEncoder) -> None:
    mug = draw_picture(_LOOKS[0], _SEED, 64, clean=True)
    vector = encoder.encode_texts(["a red mug"])[0]
    centres = []
    for left in (0, 64):
        wide = Image.new("RGB", (128, 128), mug.getpixel((0, 0)))
        wide.paste(mug, (left, 32))
        heat = similarity_map(encoder, wide, vector, lambda: False).values
        centres.append(float((heat.sum(axis=0) * np.arange(CELLS)).sum() / heat.sum()))
    assert centres[0] < CELLS / 2 - 1 < CELLS / 2 < centres[1]
