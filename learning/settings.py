"""How models are trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ClipArchitecture(BaseModel):
    """The size of a small open_clip model: a modified ResNet for pictures, a transformer for texts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimension: int = Field(default=128, ge=8, description="length of the vectors")
    image_size: int = Field(default=64, ge=32, multiple_of=32, description="pixels on a side")
    image_width: int = Field(
        default=16, ge=4, description="channels of the first stage; each next one has twice as many"
    )
    image_layers: tuple[int, int, int, int] = Field(default=(1, 1, 1, 1), description="blocks of each of the 4 stages")
    image_head_width: int = Field(default=32, ge=4)
    text_width: int = Field(default=128, ge=8)
    text_heads: int = Field(default=4, ge=1)
    text_layers: int = Field(default=2, ge=1)
    context_length: int = Field(default=32, ge=4, description="tokens; what is longer is cut")


class ContrastiveSettings(BaseModel):
    """The optimizer's part of a contrastive training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=1800, ge=1, description="batches; the learning rate falls to its end over them")
    batch_size: int = Field(default=256, ge=2, description="pairs; each picture is told apart from all the others")
    learning_rate: float = Field(default=1e-3, gt=0, description="the highest, after the warm-up")
    warmup_steps: int = Field(default=100, ge=1)
    last_rate_share: float = Field(default=0.02, ge=0, le=1, description="the lowest rate as a share of the highest")
    weight_decay: float = Field(default=0.1, ge=0, description="for weight matrices; never for biases and embeddings")
    largest_gradient: float = Field(default=1.0, gt=0, description="gradients of a larger norm are scaled down to it")
    largest_shift: int = Field(default=4, ge=0, description="pixels that a picture is moved by at most, each way")
    largest_gain: float = Field(default=0.1, ge=0, lt=1, description="brightness is multiplied by 1 plus or minus this")
    largest_offset: float = Field(default=8, ge=0, description="and this is added or taken, out of 255")
    precision: Literal["bf16", "fp32"] = Field(
        default="fp32", description="bf16 is faster only on CPUs with AVX512_BF16"
    )
    threads: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)
