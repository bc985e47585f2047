"""Pairs to train on: no held-out look, no look twice in a batch."""

import numpy as np
import pytest

from demo.drawn_shop.looks import split_looks
from demo.drawn_shop.training_pairs import DrawnPairs, caption_corpus

_LOOKS = split_looks().trained


def _numbered_pool() -> np.ndarray:
    """Pictures of one pixel that say which look and which picture of it they are."""
    pool = np.zeros((len(_LOOKS), 3, 1, 1, 3), np.uint8)
    pool[..., 0, 0, 0] = np.arange(len(_LOOKS))[:, None] % 256
    pool[..., 0, 0, 1] = np.arange(len(_LOOKS))[:, None] // 256
    pool[..., 0, 0, 2] = np.arange(3)
    return pool


def test_a_batch_has_no_look_twice_and_captions_that_fit() -> None:
    batch = DrawnPairs(_numbered_pool(), seed=1).batch(400)
    numbers = batch.pictures[:, 0, 0, :2].astype(int) @ (1, 256)
    assert len(set(numbers.tolist())) == 400
    assert set(batch.pictures[:, 0, 0, 2].tolist()) == {0, 1, 2}
    named = [
        (_LOOKS[number], caption) for number, caption in zip(numbers, batch.captions, strict=True) if caption.isascii()
    ]
    assert 120 < len(named) < 280
    right = sum(look.colour in caption or look.kind in caption for look, caption in named)
    assert right > 0.85 * len(named)  # the rest says it in other words or leaves it out


def test_batches_follow_from_the_seed() -> None:
    first, again, other = (DrawnPairs(_numbered_pool(), seed).batch(20) for seed in (1, 1, 2))
    assert first.captions == again.captions
    assert (first.pictures == again.pictures).all()
    assert first.captions != other.captions


def test_a_pool_of_other_looks_is_refused() -> None:
    with pytest.raises(ValueError, match="render it again"):
        DrawnPairs(_numbered_pool()[:-1], seed=1)


def test_the_corpus_has_both_languages() -> None:
    captions = list(caption_corpus(0))[:1000]
    assert 300 < sum(caption.isascii() for caption in captions) < 700
