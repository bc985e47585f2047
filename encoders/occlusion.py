"""Where in a picture its similarity to a vector lies: one part after another is covered, and the loss is measured.

It works with any model (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.base import EncoderError, ImageEncoder
from encoders.fusion import Vector

CELLS = 7  # along each side
_WINDOW = 2  # cells along each side of what is covered at once
_STARTS = range(1 - _WINDOW, CELLS)  # windows reach over the edge, so that each cell is covered equally often

Pixels: TypeAlias = NDArray[np.uint8]
_Window: TypeAlias = tuple[slice, slice]


class OcclusionTooSlow(EncoderError):
    """The model did not get through all covered pictures in the time that there was."""


@dataclass(frozen=True, slots=True)
class SimilarityMap:
    """`values` has shape (rows, columns): from 0, where covering the picture costs no similarity, to 1 at the most.

    All are 0 where no part counts. `similarity` is the cosine of the whole picture and the vector.
    """

    values: NDArray[np.float32]
    similarity: float


def similarity_map(
    encoder: ImageEncoder, picture: Image.Image, vector: Vector, is_over: Callable[[], bool]
) -> SimilarityMap:
    """65 pictures go through the encoder, of whose space `vector` is a unit vector.

    Raises UnusableVector, and OcclusionTooSlow once `is_over` says that the time is up.
    """
    pixels = np.asarray(picture.convert("RGB"))
    similarity = float(encoder.encode_images([picture])[0] @ vector)
    losses = np.zeros((CELLS, CELLS))
    covered = np.zeros((CELLS, CELLS))
    for windows in _rows_of_windows():
        if is_over():
            raise OcclusionTooSlow(f"{encoder.release} takes too long for a map of a picture")
        similarities = encoder.encode_images(_cover_each(pixels, windows)) @ vector
        for window, left in zip(windows, similarities, strict=True):
            losses[window] += similarity - left
            covered[window] += 1
    heat = np.maximum(losses / covered, 0)
    return SimilarityMap((heat / (heat.max() or 1)).astype(np.float32), similarity)


def _rows_of_windows() -> Iterator[list[_Window]]:
    """As slices of cells."""
    spans = [slice(max(start, 0), min(start + _WINDOW, CELLS)) for start in _STARTS]
    for rows in spans:
        yield [(rows, columns) for columns in spans]


def _cover_each(pixels: Pixels, windows: Sequence[_Window]) -> list[Image.Image]:
    """The picture with each window in turn painted like its border, which mostly shows no product."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(border, axis=0).astype(np.uint8)
    heights, widths = (np.linspace(0, side, CELLS + 1).round().astype(int) for side in pixels.shape[:2])
    return [_cover(pixels, _pixels_of(rows, heights), _pixels_of(columns, widths), colour) for rows, columns in windows]


def _cover(pixels: Pixels, rows: slice, columns: slice, colour: NDArray[Any]) -> Image.Image:
    covered = pixels.copy()
    covered[rows, columns] = colour
    return Image.fromarray(covered)


def _pixels_of(cells: slice, edges: NDArray[Any]) -> slice:
    return slice(edges[cells.start], edges[cells.stop])
