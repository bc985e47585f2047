"""What every encoder must hold to, run over all of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.base import Encoder, ImageEncoder
from encoders.clip_files import SHIPPED_FOLDER
from encoders.factory import create_image_encoder, create_text_encoder
from encoders.settings import EncoderSettings, ImageEncoderSettings, TextEncoderSettings
from tests.contracts.encoders import write_clip, write_sentence_transformer

TEXTS = [
    "red running shoes", "", "   ", "手机壳 红色", "חולצה כחולה", "😀👟", "a", "USB-C\x00cable\n\t",
    "\ud800 half an emoji", "wireless ergonomic mouse with two batteries, for the left hand " * 12,
    "red running shoes",
]  # fmt: skip
SHIPPED = pytest.param(
    "drawn-clip", marks=pytest.mark.skipif(not SHIPPED_FOLDER.is_dir(), reason="drawn-clip is not trained yet")
)

Load = Callable[[str], Encoder]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp("model") / name

    @cache
    def by_name(name: str) -> Encoder:
        match name:
            case "hash text":
                return create_text_encoder(EncoderSettings(text=TextEncoderSettings(model="hash")))
            case "hash":
                return create_image_encoder(EncoderSettings(image=ImageEncoderSettings(model="hash")))
            case "sentence-transformers folder":
                text = TextEncoderSettings(model=str(write_sentence_transformer(folder("bert"))), device="cpu")
                return create_text_encoder(EncoderSettings(text=text, threads=1))
            case "open_clip folder":
                image = ImageEncoderSettings(model=str(write_clip(folder("clip"))), device="cpu")
                return create_image_encoder(EncoderSettings(image=image, threads=1))
            case "drawn-clip":
                return create_image_encoder(EncoderSettings(image=ImageEncoderSettings(device="cpu"), threads=1))
        return create_text_encoder(EncoderSettings(text=TextEncoderSettings(device="cpu"), threads=1))

    return by_name


@pytest.fixture(
    params=["hash text", "all-MiniLM-L6-v2", "sentence-transformers folder", "hash", "open_clip folder", SHIPPED]
)
def encoder(request: pytest.FixtureRequest, load: Load) -> Encoder:
    return load(request.param)


@pytest.fixture(params=["hash", "open_clip folder", SHIPPED])
def image_encoder(request: pytest.FixtureRequest, load: Load) -> ImageEncoder:
    loaded = load(request.param)
    assert isinstance(loaded, ImageEncoder)
    return loaded


def drawn(count: int) -> list[Image.Image]:
    random = np.random.default_rng(7)
    sizes = random.integers(8, 200, size=(count, 2))
    return [Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)) for height, width in sizes]


def assert_unit(vectors: np.ndarray, count: int, dimension: int) -> None:
    assert vectors.dtype == np.float32
    assert vectors.shape == (count, dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_release_names_model_and_content(encoder: Encoder) -> None:
    name, _, content = encoder.release.partition("@")
    assert name
    assert len(content) == 8
    int(content, 16)


def test_texts_become_unit_vectors(encoder: Encoder) -> None:
    assert_unit(encoder.encode_texts(TEXTS), len(TEXTS), encoder.dimension)


def test_no_texts_become_no_vectors(encoder: Encoder) -> None:
    assert_unit(encoder.encode_texts([]), 0, encoder.dimension)


def test_a_text_longer_than_any_model_reads(encoder: Encoder) -> None:
    assert_unit(encoder.encode_texts(["blue cotton shirt " * 20_000]), 1, encoder.dimension)


def test_a_text_has_one_vector_whatever_is_beside_it(encoder: Encoder) -> None:
    many = [f"{text} {number}" for number in range(encoder.batch_size // 4) for text in TEXTS]
    together = encoder.encode_texts(many)
    picked = range(0, len(many), len(many) // 12)
    alone = np.concatenate([encoder.encode_texts([many[position]]) for position in picked])
    np.testing.assert_allclose(together[picked], alone, atol=1e-5)


def test_different_texts_differ(encoder: Encoder) -> None:
    first, second = encoder.encode_texts(["red running shoes", "a kettle made of steel"])
    assert first @ second < 0.999


def test_searches_may_run_beside_indexing(encoder: Encoder) -> None:
    expected = encoder.encode_texts(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encoder.encode_texts, [TEXTS] * 12):
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_text_without_letters_is_understood(encoder: Encoder) -> None:
    assert encoder.understands("4711 / 42-1")
    assert encoder.understands("")


def test_pictures_become_unit_vectors_of_the_space_of_texts(image_encoder: ImageEncoder) -> None:
    count = 2 * image_encoder.batch_size + 1
    assert_unit(image_encoder.encode_images(drawn(count)), count, image_encoder.dimension)
    assert_unit(image_encoder.encode_images([]), 0, image_encoder.dimension)


@pytest.mark.parametrize("size", [(1, 1), (1, 3_000), (3_000, 1), (64, 64)])
def test_pictures_of_any_shape(image_encoder: ImageEncoder, size: tuple[int, int]) -> None:
    assert_unit(image_encoder.encode_images([Image.new("RGB", size, "navy")]), 1, image_encoder.dimension)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "YCbCr"])
def test_pictures_of_any_mode(image_encoder: ImageEncoder, mode: str) -> None:
    assert_unit(image_encoder.encode_images([Image.new(mode, (20, 30))]), 1, image_encoder.dimension)


def test_a_picture_has_one_vector_whatever_is_beside_it(image_encoder: ImageEncoder) -> None:
    pictures = drawn(image_encoder.batch_size + 5)
    together = image_encoder.encode_images(pictures)
    picked = range(0, len(pictures), 9)
    alone = np.concatenate([image_encoder.encode_images([pictures[position]]) for position in picked])
    np.testing.assert_allclose(together[picked], alone, atol=1e-5)


def test_what_is_transparent_is_white(image_encoder: ImageEncoder) -> None:
    on_white = Image.new("RGB", (64, 64), "white")
    on_white.paste("maroon", (16, 16, 48, 48))
    transparent = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    transparent.paste((128, 0, 0, 255), (16, 16, 48, 48))
    np.testing.assert_allclose(*image_encoder.encode_images([on_white, transparent]), atol=1e-5)


def test_what_lies_at_the_top_of_a_tall_picture_counts(image_encoder: ImageEncoder) -> None:
    plain = Image.new("RGB", (50, 300), "white")
    marked = plain.copy()
    marked.paste("red", (0, 0, 50, 100))
    first, second = image_encoder.encode_images([plain, marked])
    assert not np.allclose(first, second, atol=1e-5)
