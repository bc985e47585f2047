"""Trains a small open_clip model on pairs of a picture and a caption."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from learning.contrastive_pictures import augment, normalize
from learning.settings import ClipArchitecture, ContrastiveSettings

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

_LARGEST_LOGIT_SCALE = 100.0


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Pictures, uint8 of shape (n, side, side, 3), and what is said of each."""

    pictures: NDArray[np.uint8]
    captions: Sequence[str]


class PairSource(Protocol):
    """Pairs to train on. No two pictures of a batch should deserve the same caption: they would be told apart."""

    def batch(self, size: int) -> PairBatch: ...


@dataclass(frozen=True, slots=True)
class Step:
    """How training stands after its `number`-th batch (the first is 1)."""

    number: int
    loss: float
    learning_rate: float


def build_model(architecture: ClipArchitecture, vocabulary_size: int, seed: int) -> Any:
    """An untrained open_clip model whose weights follow from the seed."""
    import torch
    from open_clip.model import CLIP

    from learning.contrastive_folder import model_config

    torch.manual_seed(seed)
    return CLIP(**model_config(architecture, vocabulary_size))


def train(
    model: Any,
    tokenizer: "Tokenizer",
    source: PairSource,
    settings: ContrastiveSettings,
    on_step: Callable[[Step], None],
) -> None:
    """Changes the model in place and leaves it in evaluation mode."""
    import open_clip
    import torch

    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    randomness = np.random.default_rng(settings.seed)
    model.visual.to(memory_format=torch.channels_last)
    model.train()
    optimizer = _optimizer(model, settings)
    contrastive_loss = open_clip.ClipLoss()
    for number in range(1, settings.steps + 1):
        rate = learning_rate(number, settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = source.batch(settings.batch_size)
        pictures = normalize(augment(batch.pictures, settings, randomness))
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bf16"):
            of_pictures = model.encode_image(torch.from_numpy(pictures), normalize=True)
            of_captions = _encode_captions(model, tokenizer, batch.captions)
        loss = contrastive_loss(of_pictures.float(), of_captions.float(), model.logit_scale.exp())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.largest_gradient)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(_LARGEST_LOGIT_SCALE))
        on_step(Step(number, loss.item(), rate))
    model.visual.to(memory_format=torch.contiguous_format)
    model.eval()


def learning_rate(number: int, settings: ContrastiveSettings) -> float:
    """Rises in a line over the warm-up and falls along a cosine over all steps."""
    warmth = min(1.0, number / settings.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * (number - 1) / settings.steps))
    lowest = settings.last_rate_share
    return settings.learning_rate * warmth * (lowest + (1 - lowest) * cosine)


def _optimizer(model: Any, settings: ContrastiveSettings) -> Any:
    import torch

    decayed: list[Any] = []
    free: list[Any] = []
    for name, parameter in model.named_parameters():
        (decayed if parameter.ndim >= 2 and "embedding" not in name else free).append(parameter)
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), eps=1e-6)


def _encode_captions(model: Any, tokenizer: "Tokenizer", captions: Sequence[str]) -> "Tensor":
    """As the model's own encode_text, but no longer than the longest caption: causal attention ignores the padding."""
    import torch

    encodings = tokenizer.encode_batch(list(captions))
    tokens = torch.tensor([encoding.ids for encoding in encodings])
    ends = torch.tensor([sum(encoding.attention_mask) - 1 for encoding in encodings])
    length = tokens.shape[1]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.ln_final(model.transformer(hidden, attn_mask=model.attn_mask[:length, :length]))
    vectors = hidden[torch.arange(len(tokens)), ends] @ model.text_projection
    return torch.nn.functional.normalize(vectors, dim=-1)
