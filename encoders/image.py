"""Pictures and texts to vectors of one space by an open_clip model."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from PIL.Image import Image

from encoders.base import Vectors
from encoders.clip_files import find_clip, load_clip
from encoders.device import batch_size_for, choose_device
from encoders.letterbox import Letterbox
from encoders.scripts import mostly_in
from encoders.settings import ImageEncoderSettings
from encoders.unit import readable, to_unit_vectors
from encoders.weights import check_weights, hash_weights, name_release

_CHARACTERS_PER_TOKEN = 40
_PREPARING_THREADS = 8

_Input = TypeVar("_Input")


class OpenClipEncoder:
    """One loaded model. Safe to call from several threads: only the tokenizer is locked, and never for a whole call.

    A model trained on squashed pictures gets them squashed; every other gets the whole picture on a white square.
    Raises EncoderError where the model is not there, has no safetensors or tokenizer, or has not the pinned weights.
    """

    def __init__(self, settings: ImageEncoderSettings) -> None:
        files = find_clip(settings)
        weights_sha256 = hash_weights([files.weights])
        check_weights(weights_sha256, settings.weights_sha256, settings.model)
        self._device = choose_device(settings.device)
        self._model, self._tokenizer, self._dtype = load_clip(files, self._device, settings.dtype)
        self._letterbox = Letterbox.of_preprocess_cfg(self._model.visual.preprocess_cfg)
        self._tokenizer_lock = threading.Lock()
        # On a CPU the model itself takes the cores; beside a GPU one thread cannot resize fast enough for it.
        self._preparing = None if self._device == "cpu" else ThreadPoolExecutor(_PREPARING_THREADS, "prepare-images")
        self._scripts = files.scripts if settings.scripts is None else settings.scripts
        self._batch_size = batch_size_for(self._device, settings.batch_size)
        self._dimension = files.dimension
        self._release = name_release(files.name, weights_sha256, settings)

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
        characters = self._tokenizer.context_length * _CHARACTERS_PER_TOKEN
        return self._encode([readable(text[:characters]) for text in texts], self._forward_texts)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return self._encode(images, self._forward_images)

    def _encode(self, inputs: Sequence[_Input], forward: Callable[[Sequence[_Input]], Any]) -> Vectors:
        import torch

        starts = range(0, len(inputs), self._batch_size)
        with torch.inference_mode():
            # Nothing is read back in between, so a GPU computes one batch while the next is prepared.
            outputs = [forward(inputs[start : start + self._batch_size]) for start in starts]
            raw = [output.float().cpu().numpy() for output in outputs]
        return to_unit_vectors(np.concatenate([np.empty((0, self._dimension), dtype=np.float32), *raw]), self._release)

    def _forward_texts(self, texts: Sequence[str]) -> Any:
        with self._tokenizer_lock:
            tokens = self._tokenizer(list(texts))
        return self._model.encode_text(self._move(tokens))

    def _forward_images(self, images: Sequence[Image]) -> Any:
        import torch

        apply = map if self._preparing is None else self._preparing.map
        pixels = torch.from_numpy(np.stack(list(apply(self._letterbox.apply, images))))
        normalized = self._letterbox.normalize(self._move(pixels).permute(0, 3, 1, 2).float())
        return self._model.encode_image(normalized.to(self._dtype))

    def _move(self, inputs: Any) -> Any:
        if self._device.startswith("cuda"):
            return inputs.pin_memory().to(self._device, non_blocking=True)
        return inputs.to(self._device)
