"""BM25 over tokens in memory, by the formula of Lucene and Milvus."""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


class Postings:
    """Which slot holds which token how often. A slot without tokens counts for nothing."""

    def __init__(self, k1: float, b: float) -> None:
        self._k1 = k1
        self._b = b
        self._counts_by_token: dict[str, dict[int, int]] = {}
        self._tokens_by_slot: dict[int, frozenset[str]] = {}
        self._lengths = np.zeros(256, np.float32)
        self._total_length = 0

    def put(self, slot: int, keywords: str) -> None:
        """Replace the tokens of a slot; no tokens take it out."""
        for token in self._tokens_by_slot.pop(slot, frozenset()):
            postings = self._counts_by_token[token]
            del postings[slot]
            if not postings:
                del self._counts_by_token[token]
        while slot >= len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
        counts = Counter(keywords.split())
        length = counts.total()
        self._total_length += length - int(self._lengths[slot])
        self._lengths[slot] = length
        if counts:
            self._tokens_by_slot[slot] = frozenset(counts)
        for token, count in counts.items():
            self._counts_by_token.setdefault(token, {})[slot] = count

    def score(self, query: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Slots that hold any token of the query, ascending, and their scores."""
        documents = len(self._tokens_by_slot)
        scores = np.zeros(len(self._lengths), np.float64)
        found = np.zeros(len(self._lengths), bool)
        mean_length = self._total_length / documents if documents else 1.0
        for token, weight in query.items():
            postings = self._counts_by_token.get(token)
            if not postings:
                continue
            slots = np.fromiter(postings, np.int64, len(postings))
            counts = np.fromiter(postings.values(), np.float64, len(postings))
            idf = math.log((documents - len(postings) + 0.5) / (len(postings) + 0.5) + 1)
            norm = self._k1 * (1 - self._b + self._b * self._lengths[slots] / mean_length)
            scores[slots] += weight * idf * counts * (self._k1 + 1) / (counts + norm)
            found[slots] = True
        slots = np.flatnonzero(found)
        return slots, scores[slots].astype(np.float32)
