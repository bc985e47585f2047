"""The seam between Millrace and a model."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Vectors: TypeAlias = NDArray[np.float32]


class EncoderError(Exception):
    """A model could not be loaded or gave no usable vectors; the message says what to do."""


class UnusableVector(EncoderError):
    """The model gave NaN, infinity or a zero vector for some inputs of a batch.

    `positions` are the indices of those inputs in the batch; the other inputs may be encoded again without them.
    """

    def __init__(self, positions: Sequence[int], release: str) -> None:
        super().__init__(f"{release} gave no finite, non-zero vector for inputs {list(positions)}")
        self.positions = tuple(positions)


@runtime_checkable
class Encoder(Protocol):
    """Texts to unit vectors. The same text gives the same vector, whatever else is in the batch (to 1e-5).

    The exception: a model set to bfloat16 or float16 holds to the third digit only.
    """

    @property
    def release(self) -> str:
        """Name and content of the model, like `all-MiniLM-L6-v2@53aa5117`: equal releases give equal vectors."""

    @property
    def dimension(self) -> int: ...

    @property
    def batch_size(self) -> int:
        """How many inputs at once the model encodes best on its device."""

    def understands(self, text: str) -> bool:
        """False where the model was not trained on the text's script, so that its vector means nothing."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dimension), each row of L2 norm 1. Raises UnusableVector."""


@runtime_checkable
class ImageEncoder(Encoder, Protocol):
    """Pictures and texts into one space, so that either finds the other."""

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Float32 array of shape (len(images), dimension), each row of L2 norm 1. Raises UnusableVector."""
