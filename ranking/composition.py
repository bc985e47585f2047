"""A picture and words about it as one vector: "this, but red"."""

import threading
from collections.abc import Sequence

import numpy as np

from encoders.base import Encoder, UnusableVector, Vectors
from encoders.fusion import Vector, WeightedFusion
from ranking.attribute_words import AttributeWords
from ranking.referring_words import without_referring_words
from ranking.settings import CompositionSettings
from ranking.standard_attributes import STANDARD_ATTRIBUTES


class PictureAndWords:
    """Works with any model that puts pictures and texts into one space. Safe to use from several threads.

    Where the words name an attribute's value, the picture's own value is exchanged for it: the vector moves by
    text(new) - text(old), as with Couairon et al., "Embedding Arithmetic of Multimodal Queries for Image Retrieval"
    (2022); old is the attribute's value whose text is nearest to the picture. Other words are added.
    """

    def __init__(self, encoder: Encoder, settings: CompositionSettings) -> None:
        self._encoder = encoder
        self._words = AttributeWords({**STANDARD_ATTRIBUTES, **settings.attributes})
        self._exchange_weight = settings.exchange_weight
        self._fusion = WeightedFusion({"picture": 1, "exchange": 1, "words": settings.words_weight})
        self._encoded: dict[tuple[str, ...], Vectors] = {}
        self._lock = threading.Lock()

    def compose(self, picture: Vector, text: str) -> Vector:
        """The picture's vector, changed as the text says; unchanged where the model makes nothing of the text."""
        try:
            return self._fusion.fuse(self._parts(picture, text))
        except UnusableVector:
            return picture

    def _parts(self, picture: Vector, text: str) -> dict[str, Vector]:
        named = self._words.find(text)
        parts = {"picture": picture}
        exchanges = [self._exchange(picture, attribute, new, text) for attribute, new in named.values.items()]
        if exchanges:
            parts["exchange"] = self._exchange_weight * np.sum(exchanges, axis=0)
        if rest := without_referring_words(named.rest):
            parts["words"] = self._encoder.encode_texts([rest])[0]
        return parts

    def _exchange(self, picture: Vector, attribute: str, new: Sequence[int], text: str) -> Vector:
        """From the value that the picture has to the new ones; zeros where it already has one of them."""
        values = self._values(attribute, text)
        old = int((values @ picture).argmax())
        exchange: Vector = np.zeros_like(picture) if old in new else values[list(new)].mean(axis=0) - values[old]
        return exchange

    def _values(self, attribute: str, text: str) -> Vectors:
        names = tuple(self._words.names(attribute, text))
        with self._lock:
            if names not in self._encoded:
                self._encoded[names] = self._encoder.encode_texts(names)
            return self._encoded[names]
