"""The trainer lowers the loss, leaves a model that tells pairs apart, and repeats itself."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from learning.contrastive import PairBatch, Step, build_model, learning_rate, train
from learning.contrastive_folder import TOKENIZER_CONFIG_FILE, WEIGHTS_FILE, write_folder
from learning.contrastive_pictures import augment, normalize
from learning.contrastive_tokenizer import END_ID, START_ID, train_tokenizer
from learning.settings import ClipArchitecture, ContrastiveSettings

_COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220), "白色": (250, 250, 250)}
_SMALL = ClipArchitecture(
    dimension=16, image_size=32, image_width=8, image_head_width=16, text_width=16, text_heads=2, text_layers=1
)
_FEW_STEPS = ContrastiveSettings(steps=12, batch_size=4, warmup_steps=4, learning_rate=3e-3)


class _ColouredSquares:
    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def batch(self, size: int) -> PairBatch:
        names = self._rng.sample(sorted(_COLOURS), size)
        pictures = np.stack([np.full((32, 32, 3), _COLOURS[name], np.uint8) for name in names])
        return PairBatch(pictures, names)


def _train(on_step: Callable[[Step], None] = lambda step: None, settings: ContrastiveSettings = _FEW_STEPS):  # type: ignore[no-untyped-def]
    tokenizer = train_tokenizer(list(_COLOURS) * 3, 300, _SMALL.context_length)
    model = build_model(_SMALL, tokenizer.get_vocab_size(), settings.seed)
    train(model, tokenizer, _ColouredSquares(settings.seed), settings, on_step)
    return model, tokenizer


@pytest.fixture(scope="module")
def trained():  # type: ignore[no-untyped-def]
    steps: list[Step] = []
    return *_train(steps.append), steps


def test_a_few_steps_lower_the_loss(trained) -> None:  # type: ignore[no-untyped-def]
    _, _, steps = trained
    assert [step.number for step in steps] == list(range(1, 13))
    losses = [step.loss for step in steps]
    assert np.mean(losses[-3:]) < 0.6 * np.mean(losses[:3])


def test_equal_seeds_train_equal_models(trained) -> None:  # type: ignore[no-untyped-def]
    again, _ = _train()
    for name, tensor in trained[0].state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    other, _ = _train(settings=_FEW_STEPS.model_copy(update={"seed": 1, "steps": 1}))
    assert not torch.equal(other.text_projection, again.text_projection)


def test_the_written_folder_is_what_was_trained(trained, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import open_clip

    model, tokenizer, _ = trained
    write_folder(tmp_path, model, tokenizer, _SMALL)
    loaded, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}", require_pretrained=True)
    loaded.eval()
    theirs, ours = open_clip.get_tokenizer(f"local-dir:{tmp_path}"), tokenizer.encode("green 白色")
    tokens = theirs(["green 白色"])
    assert tokens.shape == (1, _SMALL.context_length)
    assert tokens[0, : len(ours.ids)].tolist() == ours.ids
    assert (ours.ids[0], ours.ids[-1]) == (START_ID, END_ID)
    with torch.inference_mode():
        was, now = (each.encode_text(tokens, normalize=True) for each in (model, loaded))
    assert float((was * now).sum()) > 0.9999  # half precision on disk
    assert preprocess is not None
    assert (tmp_path / WEIGHTS_FILE).stat().st_mode & 0o777 == 0o644
    assert "PreTrainedTokenizerFast" in (tmp_path / TOKENIZER_CONFIG_FILE).read_text()


def test_the_preprocessing_of_the_folder_is_that_of_the_training(trained, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import open_clip
    from PIL import Image

    model, tokenizer, _ = trained
    write_folder(tmp_path, model, tokenizer, _SMALL)
    preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path}")[2]
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    ours = torch.from_numpy(normalize(pixels.astype(np.float32)))[0]
    assert torch.allclose(preprocess(Image.fromarray(pixels[0])), ours, atol=1e-4)
    tall = preprocess(Image.new("RGB", (16, 64), (255, 0, 0)))
    white = torch.from_numpy(normalize(np.full((1, 1, 1, 3), 255, np.float32)))[0, :, 0, 0]
    assert torch.allclose(tall[:, 0, 0], white, atol=1e-4)  # the whole picture, beside it white
    assert not torch.allclose(tall[:, 0, 16], white, atol=1e-1)


def test_text_of_any_script_has_tokens_and_long_text_is_cut(trained) -> None:  # type: ignore[no-untyped-def]
    _, tokenizer, _ = trained
    assert len(tokenizer.encode("żółć 🙂 ع").ids) > 3
    assert tokenizer.decode(tokenizer.encode("żółć 🙂").ids).strip() == "żółć 🙂"
    assert len(tokenizer.encode("red " * 200).ids) == _SMALL.context_length


def test_the_learning_rate_rises_then_falls_to_its_end() -> None:
    settings = ContrastiveSettings(steps=1000, warmup_steps=100, learning_rate=1e-3, last_rate_share=0.02)
    rates = [learning_rate(number, settings) for number in range(1, 1001)]
    assert rates[0] == pytest.approx(1e-5, rel=0.01)
    assert int(np.argmax(rates)) in range(90, 101)
    assert max(rates) == pytest.approx(1e-3, rel=0.03)
    assert rates[-1] == pytest.approx(2e-5, rel=0.01)
    assert all(later <= earlier for earlier, later in pairwise(rates[100:]))


def test_augmented_pictures_are_moved_mirrored_and_never_out_of_range() -> None:
    pictures = np.zeros((200, 32, 32, 3), np.uint8)
    pictures[:, 10:14, 8:12] = 255
    varied = augment(pictures, ContrastiveSettings(), np.random.default_rng(0))
    assert varied.shape == pictures.shape
    assert varied.min() >= 0
    assert varied.max() <= 255
    columns = varied.mean(axis=(1, 3)).argmax(axis=1)
    assert len(set(columns.tolist())) > 8
    assert (columns > 16).mean() == pytest.approx(0.5, abs=0.15)


def test_without_augmentation_pictures_are_only_mirrored() -> None:
    settings = ContrastiveSettings(largest_shift=0, largest_gain=0, largest_offset=0)
    pictures = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    varied = augment(pictures, settings, np.random.default_rng(1))
    same = (varied == pictures).all(axis=(1, 2, 3))
    mirrored = (varied == pictures[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert same.any()
    assert mirrored.any()
