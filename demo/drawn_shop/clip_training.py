"""From a pool of drawn pictures to the folder of the small CLIP."""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.drawn_shop.training_pairs import DrawnPairs, caption_corpus
from learning.contrastive import Step, build_model, train
from learning.contrastive_folder import write_folder
from learning.contrastive_tokenizer import train_tokenizer
from learning.settings import ClipArchitecture, ContrastiveSettings

RECORD_FILE = "training.json"
_LARGEST_VOCABULARY = 1024
_STEPS_BETWEEN_LOSSES = 100
_RECENT = 0.05  # the weight of the newest loss in the running mean
_LIBRARIES = ("numpy", "open_clip_torch", "pillow", "tokenizers", "torch")


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """How a model came about; `losses` are running means after each 100 steps."""

    settings: dict[str, Any]
    pictures_per_look: int
    parameters: int
    vocabulary: int
    losses: dict[int, float]
    seconds: float
    processor_seconds: float
    libraries: dict[str, str]
    machine: str


def fit(
    folder: Path, pool: NDArray[np.uint8], settings: ContrastiveSettings, on_step: Callable[[Step], None]
) -> TrainingRecord:
    """Writes the model into the folder; on_step hears the running mean of the loss."""
    architecture = ClipArchitecture()
    tokenizer = train_tokenizer(caption_corpus(settings.seed), _LARGEST_VOCABULARY, architecture.context_length)
    model = build_model(architecture, tokenizer.get_vocab_size(), settings.seed)
    losses = _Losses(on_step)
    started, started_processor = time.perf_counter(), time.process_time()
    train(model, tokenizer, DrawnPairs(pool, settings.seed), settings, losses.add)
    record = TrainingRecord(
        settings=settings.model_dump(),
        pictures_per_look=pool.shape[1],
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        vocabulary=tokenizer.get_vocab_size(),
        losses=losses.kept,
        seconds=round(time.perf_counter() - started, 1),
        processor_seconds=round(time.process_time() - started_processor, 1),
        libraries={name: version(name) for name in _LIBRARIES},
        machine=f"{platform.system()} {platform.machine()}",
    )
    write_folder(folder, model, tokenizer, architecture)
    (folder / RECORD_FILE).write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
    return record


class _Losses:
    def __init__(self, on_step: Callable[[Step], None]) -> None:
        self._on_step = on_step
        self._mean: float | None = None
        self.kept: dict[int, float] = {}

    def add(self, step: Step) -> None:
        self._mean = step.loss if self._mean is None else (1 - _RECENT) * self._mean + _RECENT * step.loss
        if step.number % _STEPS_BETWEEN_LOSSES == 0:
            self.kept[step.number] = round(self._mean, 4)
        self._on_step(Step(step.number, self._mean, step.learning_rate))
