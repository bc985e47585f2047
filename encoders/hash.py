"""An encoder without a model: texts by their words, pictures by their colours. For tests and for runs offline."""

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders.base import Vectors
from encoders.images import on_white
from encoders.unit import readable, to_unit_vectors

_TOKEN = re.compile(r"[^\W_\u3400-\u9fff]+|[\u3400-\u9fff]")
_GRID = 8
_PLACE_WEIGHT = 0.05
_COLOURS: Mapping[str, tuple[int, int, int]] = {
    "black": (20, 20, 20),
    "white": (250, 250, 250),
    "grey": (128, 128, 128),
    "red": (210, 30, 40),
    "orange": (240, 130, 20),
    "yellow": (245, 215, 40),
    "green": (40, 150, 60),
    "blue": (40, 80, 200),
    "purple": (120, 50, 160),
    "pink": (245, 140, 180),
    "brown": (120, 75, 40),
}
_PALETTE = np.array(list(_COLOURS.values()), dtype=np.int32)
_NAMES = tuple(_COLOURS)


class HashEncoder:
    """Texts that share words, and pictures in the colours that a text names, have similar vectors.

    The same on every machine; takes no account of word order. Safe to call from several threads.
    """

    def __init__(self, dimension: int = 256, batch_size: int = 64) -> None:
        if dimension % 8 or dimension <= 0:
            raise ValueError(f"dimension must be a positive multiple of 8, not {dimension}")
        self._dimension = dimension
        self._batch_size = batch_size
        self._release = f"hash@{hashlib.sha256(f'words and colours 1, {dimension}'.encode()).hexdigest()[:8]}"

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
        return True

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return self._encode([_words(text) for text in texts])

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        return self._encode([_colours(image) for image in images])

    def _encode(self, weighted_tokens: Sequence[Mapping[str, float]]) -> Vectors:
        raw = np.zeros((len(weighted_tokens), self._dimension), dtype=np.float64)
        for row, tokens in zip(raw, weighted_tokens, strict=True):
            for token, weight in sorted(tokens.items()):
                row += weight * _signs(token, self._dimension)
        return to_unit_vectors(raw, self._release)


def _words(text: str) -> dict[str, float]:
    """Each word's weight; a text without words has the empty word."""
    counts = Counter(_TOKEN.findall(unicodedata.normalize("NFKC", readable(text)).casefold()))
    return {word: 1 + math.log(count) for word, count in counts.items()} or {"": 1.0}


def _colours(image: Image.Image) -> dict[str, float]:
    """Each colour's share of what is not white, and a little weight for what lies where."""
    pixels = np.asarray(on_white(image).resize((_GRID, _GRID), Image.Resampling.BOX), dtype=np.int32).reshape(-1, 3)
    nearest = ((pixels[:, np.newaxis, :] - _PALETTE) ** 2).sum(axis=2).argmin(axis=1)
    names = [_NAMES[colour] for colour in nearest]
    counts = Counter(name for name in names if name != "white") or Counter(names)
    shares = {name: count / counts.total() for name, count in counts.items()}
    places = {f"{place}:{value // 16}": _PLACE_WEIGHT for place, value in enumerate(pixels.ravel().tolist())}
    return {**shares, **{place: weight / math.sqrt(len(places)) for place, weight in places.items()}}


@lru_cache(maxsize=32_768)
def _signs(token: str, dimension: int) -> NDArray[np.int8]:
    """A vector of +1 and -1 that belongs to the token; two tokens' are nearly orthogonal."""
    bits = np.frombuffer(hashlib.shake_256(token.encode()).digest(dimension // 8), dtype=np.uint8)
    return np.unpackbits(bits).astype(np.int8) * 2 - 1
