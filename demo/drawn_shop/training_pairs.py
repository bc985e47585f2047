"""Pairs of a drawn picture and a caption, for training: only looks that are not held out."""

import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from demo.drawn_shop.captions import LANGUAGES, one_word_caption, varied_caption
from demo.drawn_shop.looks import Look, split_looks
from learning.contrastive import PairBatch

_UNSAID = 0.15
_ONE_WORD_SHARE = 0.05
_UNSAID_IN_CORPUS = 0.2
_CORPUS_SIZE = 60_000


class DrawnPairs:
    """Draws batches from a pool of pictures, uint8 of shape (trained looks, pictures of each, side, side, 3)."""

    def __init__(self, pool: NDArray[np.uint8], seed: int) -> None:
        self._looks = split_looks().trained
        if len(pool) != len(self._looks):
            raise ValueError(f"the pool holds {len(pool)} looks, not {len(self._looks)}: render it again")
        self._pool = pool
        self._rng = random.Random(seed)

    def batch(self, size: int) -> PairBatch:
        """No look twice in a batch, so that each picture has one right caption."""
        chosen = self._rng.sample(range(len(self._looks)), size)
        pictures = np.stack([self._pool[look, self._rng.randrange(self._pool.shape[1])] for look in chosen])
        return PairBatch(pictures, [_caption(self._looks[look], self._rng) for look in chosen])


def caption_corpus(seed: int) -> Iterator[str]:
    """What the tokenizer learns its words from."""
    rng = random.Random(seed)
    looks = split_looks().trained
    for _ in range(_CORPUS_SIZE):
        yield varied_caption(rng.choice(looks), rng.choice(LANGUAGES), rng, _UNSAID_IN_CORPUS)


def _caption(look: Look, rng: random.Random) -> str:
    language = rng.choice(LANGUAGES)
    if rng.random() < _ONE_WORD_SHARE:
        return one_word_caption(look, language, rng)
    return varied_caption(look, language, rng, _UNSAID)
