"""Encoding of what a model can encode, where some inputs of a batch give no vector."""

from collections.abc import Callable
from typing import TypeVar

from encoders.base import UnusableVector, Vectors

T = TypeVar("T")


def encode_usable(encode: Callable[[list[T]], Vectors], inputs: list[T]) -> tuple[dict[int, Vectors], set[int]]:
    """Vectors by position, and the positions that the model could not encode. Raises EncoderError."""
    left = list(range(len(inputs)))
    refused: set[int] = set()
    while left:
        try:
            return dict(zip(left, encode([inputs[position] for position in left]), strict=True)), refused
        except UnusableVector as error:
            if not error.positions:
                raise
            bad = {left[place] for place in error.positions}
            refused |= bad
            left = [position for position in left if position not in bad]
    return {}, refused
