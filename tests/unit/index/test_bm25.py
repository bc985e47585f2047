import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.bm25 import Postings

TEXTS = st.lists(st.sampled_from("abcdef"), max_size=6).map(" ".join)


def formula(documents: dict[int, list[str]], query: list[str], k1: float, b: float) -> dict[int, float]:
    """BM25 as it is written in a book, document by document."""
    held = {slot: tokens for slot, tokens in documents.items() if tokens}
    mean = sum(map(len, held.values())) / len(held) if held else 1
    scores: dict[int, float] = {}
    for slot, tokens in held.items():
        for token in query:
            count = tokens.count(token)
            if count:
                frequency = sum(token in others for others in held.values())
                idf = math.log((len(held) - frequency + 0.5) / (frequency + 0.5) + 1)
                scores.setdefault(slot, 0)
                scores[slot] += idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(tokens) / mean))
    return scores


@given(st.lists(st.tuples(st.integers(0, 5) | st.integers(300, 1_100), TEXTS), max_size=15), TEXTS)
def test_scores_are_those_of_the_formula_after_any_replacements(puts: list[tuple[int, str]], query: str) -> None:
    postings = Postings(1.2, 0.75)
    for slot, keywords in puts:
        postings.put(slot, keywords)
    slots, scores = postings.score(Counter(query.split()))
    expected = formula({slot: keywords.split() for slot, keywords in puts}, query.split(), 1.2, 0.75)
    assert slots.tolist() == sorted(expected)
    assert scores.tolist() == pytest.approx([expected[slot] for slot in sorted(expected)], rel=1e-5)
