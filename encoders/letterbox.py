"""Any picture as the square of pixels that an open_clip model was trained on, nothing cut off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.images import on_white

_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Size in pixels; mean and standard deviation by channel, of values from 0 to 1."""

    width: int
    height: int
    squash: bool
    resampling: Image.Resampling
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of_preprocess_cfg(cls, cfg: Mapping[str, Any]) -> Self:
        """From open_clip's `preprocess_cfg`; `shortest`, which cuts tall pictures, is read as `longest` on white."""
        size = cfg["size"]
        height, width = (size, size) if isinstance(size, int) else size
        bilinear = cfg["interpolation"] == "bilinear"
        return cls(
            width=width,
            height=height,
            squash=cfg["resize_mode"] == "squash",
            resampling=Image.Resampling.BILINEAR if bilinear else Image.Resampling.BICUBIC,
            mean=tuple(cfg["mean"]),
            std=tuple(cfg["std"]),
        )

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Array of shape (height, width, 3)."""
        image = on_white(image)
        if self.squash:
            return np.asarray(image.resize((self.width, self.height), self.resampling))
        scale = min(self.width / image.width, self.height / image.height)
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        square = Image.new("RGB", (self.width, self.height), _WHITE)
        square.paste(image.resize(size, self.resampling), ((self.width - size[0]) // 2, (self.height - size[1]) // 2))
        return np.asarray(square)

    def normalize(self, pixels: Any) -> Any:
        """A float tensor of shape (n, 3, height, width), from 0 to 255, as the model takes it."""
        mean, std = (pixels.new_tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        return (pixels / 255 - mean) / std
