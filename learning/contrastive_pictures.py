"""Pictures as a contrastive training wants them: varied a little, then on the scale that open_clip's models read."""

import numpy as np
from numpy.typing import NDArray

from learning.settings import ContrastiveSettings

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_DEVIATION = (0.26862954, 0.26130258, 0.27577711)
_WHITE = 255


def augment(
    pictures: NDArray[np.uint8], settings: ContrastiveSettings, randomness: np.random.Generator
) -> NDArray[np.float32]:
    """Each picture by itself: mirrored or not, moved (the edge repeats), brighter or darker. Same shape, 0 to 255."""
    count, side = pictures.shape[:2]
    shift = settings.largest_shift
    padded = np.pad(pictures, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
    corners = randomness.integers(0, 2 * shift + 1, (count, 2))
    mirrored = np.less(randomness.random(count), 0.5)
    varied = np.empty(pictures.shape, np.float32)
    for position in range(count):
        top, left = corners[position]
        part = padded[position, top : top + side, left : left + side]
        varied[position] = part[:, ::-1] if mirrored[position] else part
    gains = 1 + randomness.uniform(-settings.largest_gain, settings.largest_gain, (count, 1, 1, 1))
    offsets = randomness.uniform(-settings.largest_offset, settings.largest_offset, (count, 1, 1, 1))
    varied *= gains.astype(np.float32)
    varied += offsets.astype(np.float32)
    return np.clip(varied, 0, _WHITE, out=varied)


def normalize(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """From (n, side, side, 3) and 0 to 255 to (n, 3, side, side), whose memory stays channels-last."""
    mean = np.asarray(OPENAI_MEAN, np.float32) * _WHITE
    deviation = np.asarray(OPENAI_DEVIATION, np.float32) * _WHITE
    scaled: NDArray[np.float32] = (pictures - mean) / deviation
    return scaled.transpose(0, 3, 1, 2)
