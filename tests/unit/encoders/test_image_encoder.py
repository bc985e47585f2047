"""Each pitfall of open_clip that is known, and what keeps Millrace out of it."""

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import safetensors.torch
import torch
from PIL import Image

from encoders.base import EncoderError, UnusableVector
from encoders.clip_files import SHIPPED_FOLDER
from encoders.image import OpenClipEncoder
from encoders.settings import ImageEncoderSettings
from tests.contracts.encoders import CLIP_CONFIG, CLIP_WEIGHTS, edit_clip_config, edit_weights, write_clip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("models") / "tiny-clip")


@pytest.fixture
def copied(tiny: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny, tmp_path / "copied-clip")


def load(model: Path | str, **settings: object) -> OpenClipEncoder:
    return OpenClipEncoder(ImageEncoderSettings(model=str(model), device="cpu", **settings))


def drawn(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def by_open_clip(folder: Path, image: Image.Image, text: str) -> list[np.ndarray]:
    """Vectors of open_clip itself, as its documentation says: evaluation mode, its own preprocessing and tokenizer."""
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer(f"local-dir:{folder}")([text])
        outputs = [model.encode_image(preprocess(image)[None]), model.encode_text(tokens)]
    return [torch.nn.functional.normalize(output, dim=1).numpy() for output in outputs]


def test_vectors_are_those_of_open_clip_with_the_folders_tokenizer(tiny: Path) -> None:
    encoder, square = load(tiny), drawn(90, 90)
    image, text = by_open_clip(tiny, square, "red Schuhe 手机")
    np.testing.assert_allclose(encoder.encode_images([square]), image, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(["red Schuhe 手机"]), text, atol=1e-5)


def test_release_and_dimension(tiny: Path, tmp_path: Path) -> None:
    encoder, other = load(tiny), load(write_clip(tmp_path / "tiny-clip", seed=1))
    assert encoder.release.startswith("tiny-clip@")
    assert encoder.release != other.release
    assert encoder.dimension == 32


def test_weights_can_be_pinned(tiny: Path) -> None:
    with pytest.raises(EncoderError, match="as pinned"):
        load(tiny, weights_sha256="0" * 64)


def test_a_folder_without_weights_is_not_filled_with_random_ones(copied: Path) -> None:
    (copied / CLIP_WEIGHTS).unlink()
    with pytest.raises(EncoderError, match=r"has no weights that can be loaded: .* needs open_clip_model\.safetensors"):
        load(copied)


@pytest.mark.parametrize("name", ["open_clip_pytorch_model.bin", "pytorch_model.bin", "model.pth"])
def test_pickled_weights_are_not_taken(copied: Path, name: str) -> None:
    torch.save(safetensors.torch.load_file(copied / CLIP_WEIGHTS), copied / name)
    (copied / CLIP_WEIGHTS).unlink()
    with pytest.raises(EncoderError, match="has no weights that can be loaded"):
        load(copied)


def test_a_pickle_beside_safetensors_is_not_opened(tiny: Path, copied: Path) -> None:
    (copied / "open_clip_pytorch_model.bin").write_bytes(b"not even a pickle")
    np.testing.assert_array_equal(load(copied).encode_texts(["red"]), load(tiny).encode_texts(["red"]))


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("no-such-model", {}, "unknown image model 'no-such-model': use drawn-clip, hash, a folder"),
        ("ViT-B-32", {}, "image model ViT-B-32 needs `pretrained`: one of .*openai"),
        ("ViT-B-32", {"pretrained": "no-such-tag"}, "knows no weights 'no-such-tag' of 'ViT-B-32': choose one of"),
        ("no-such-model", {"pretrained": "openai"}, "'no-such-model' is no open_clip name"),
        ("ViT-B-32", {"pretrained": "openai"}, "could not be fetched from Hugging Face"),
        ("timm/no-such-model", {}, "'timm/no-such-model' is not on this machine and could not be fetched"),
        ("hf-hub:timm/no-such-model", {}, "'timm/no-such-model' is not on this machine"),
        ("./no/such/folder", {}, "is not there: check the path"),
    ],
)
def test_a_model_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, model: str, settings: dict[str, str], message: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match=message):
        load(model, **settings)


def test_a_folder_without_its_tokenizer_is_refused(copied: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(EncoderError, match=r"has no tokenizer: copy the model's tokenizer\.json"):
        load(copied)


def test_a_tokenizer_that_open_clip_would_pass_over_is_refused(copied: Path) -> None:
    edit_clip_config(copied, "text_cfg", hf_tokenizer_name=None)
    with pytest.raises(EncoderError, match="names no hf_tokenizer_name"):
        load(copied)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"model_cfg": {"embed_dim": 8}}', b"[]", b'{"model_cfg": null}'])
def test_a_folder_without_a_configuration_is_refused(copied: Path, content: bytes) -> None:
    (copied / CLIP_CONFIG).write_bytes(content)
    with pytest.raises(EncoderError, match=r"needs an open_clip_config\.json"):
        load(copied)


@pytest.mark.parametrize(("file", "content"), [(CLIP_WEIGHTS, b"broken"), ("tokenizer.json", b"{")])
def test_a_broken_folder_is_refused(copied: Path, file: str, content: bytes) -> None:
    (copied / file).write_bytes(content)
    with pytest.raises(EncoderError, match="could not be loaded by open_clip"):
        load(copied)


def test_weights_of_another_architecture_are_refused(copied: Path) -> None:
    edit_clip_config(copied, "text_cfg", layers=2)
    with pytest.raises(EncoderError, match="could not be loaded by open_clip"):
        load(copied)


def test_mean_and_deviation_are_those_of_the_folder(tiny: Path, copied: Path) -> None:
    edit_clip_config(copied, "preprocess_cfg", mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
    image = drawn(64, 64)
    expected, _ = by_open_clip(copied, image, "a")
    found = load(copied).encode_images([image])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, load(tiny).encode_images([image]), atol=1e-5)


def test_a_model_trained_on_squashed_pictures_gets_them_squashed(copied: Path) -> None:
    edit_clip_config(copied, "preprocess_cfg", resize_mode="squash")
    image = drawn(200, 70)
    np.testing.assert_allclose(load(copied).encode_images([image]), by_open_clip(copied, image, "a")[0], atol=1e-5)


def test_the_model_is_in_evaluation_mode(tiny: Path) -> None:
    one, two = load(tiny).encode_images([drawn(64, 64)] * 2), load(tiny).encode_images([drawn(64, 64), drawn(65, 65)])
    np.testing.assert_allclose(one[0], two[0], atol=1e-6)


def test_half_precision_weights_load_into_a_full_precision_model(tiny: Path, copied: Path) -> None:
    tensors = safetensors.torch.load_file(copied / CLIP_WEIGHTS)
    halves = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    safetensors.torch.save_file(halves, copied / CLIP_WEIGHTS)
    image = [drawn(64, 64)]
    half, full = load(copied).encode_images(image), load(tiny).encode_images(image)
    assert (half @ full.T).item() > 0.9999


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_short_dtypes_are_close_and_another_release(tiny: Path, dtype: str) -> None:
    exact, short = load(tiny), load(tiny, dtype=dtype)
    assert short.release == f"{exact.release}+{dtype}"
    for name, inputs in {"encode_images": [drawn(64, 64)], "encode_texts": ["red shoes"]}.items():
        vectors = getattr(short, name)(inputs)
        assert vectors.dtype == np.float32
        assert (vectors @ getattr(exact, name)(inputs).T).item() > 0.98


def test_nan_from_the_model_names_the_inputs_it_came_from(copied: Path) -> None:
    letter_r = json.loads((copied / "tokenizer.json").read_text())["model"]["vocab"]["r"]
    edit_weights(copied / CLIP_WEIGHTS, "token_embedding.weight", float("nan"), row=letter_r)
    encoder = load(copied)
    with pytest.raises(UnusableVector) as refused:
        encoder.encode_texts(["blue", "red", "white", "green"])
    assert refused.value.positions == (1, 3)
    assert encoder.encode_images([drawn(64, 64)]).shape == (1, 32)
    edit_weights(copied / CLIP_WEIGHTS, "visual.conv1.weight", float("nan"))
    with pytest.raises(UnusableVector):
        load(copied).encode_images([drawn(64, 64)])


def test_a_text_is_cut_where_the_model_ends(tiny: Path) -> None:
    first, second = load(tiny).encode_texts(["a" * 22 + "bcd", "a" * 22 + "xyz"])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_scripts_come_from_the_settings_or_are_any(tiny: Path) -> None:
    assert load(tiny).understands("красные кроссовки")
    assert not load(tiny, scripts=("latin", "han")).understands("красные кроссовки")


@pytest.mark.skipif(not SHIPPED_FOLDER.is_dir(), reason="drawn-clip is not trained yet")
def test_the_shipped_model_matches_words_and_colours() -> None:
    encoder = load("drawn-clip")
    assert encoder.release.startswith("drawn-clip@")
    assert encoder.understands("red shoes")
    assert encoder.understands("红色的鞋")
    assert not encoder.understands("красные кроссовки")
    same, other = encoder.encode_texts(["a red mug", "a blue dress"]) @ encoder.encode_texts(["红色 杯子"])[0]
    assert same > other
