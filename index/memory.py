"""The exact index in memory: every vector is compared, every keyword counted. Gone when the process ends."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from index.base import (
    IMAGE_FIELD,
    TEXT_FIELD,
    Applied,
    Change,
    ContentHashes,
    Filter,
    IndexedState,
    IndexRefused,
    Outcome,
    PartialUpdate,
    Query,
    ScoredProduct,
    Tombstone,
    Vector,
    VectorQuery,
)
from index.bm25 import Postings
from index.decisions import decide, require_one_change_each
from index.filters import Matcher, matcher
from index.limits import check_change, cut_keywords, document_json

_FIRST_CAPACITY = 256


class MemoryIndex:
    """VectorIndex over arrays: a product keeps its slot for ever, also when it is deleted."""

    def __init__(
        self, text_dimension: int, image_dimension: int | None = None, bm25_k1: float = 1.2, bm25_b: float = 0.75
    ) -> None:
        self._dimensions = {TEXT_FIELD: text_dimension} | ({IMAGE_FIELD: image_dimension} if image_dimension else {})
        self._slots: dict[str, int] = {}
        self._ids: list[str] = []
        self._states: list[IndexedState] = []
        self._documents: list[Mapping[str, Any]] = []
        self._vectors = {name: np.zeros((_FIRST_CAPACITY, size), np.float32) for name, size in self._dimensions.items()}
        self._present = {name: np.zeros(_FIRST_CAPACITY, bool) for name in self._dimensions}
        self._alive = np.zeros(_FIRST_CAPACITY, bool)
        self._postings = Postings(bm25_k1, bm25_b)
        self._lock = threading.RLock()

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        with self._lock:
            return {id_: self._states[slot] for id_ in product_ids if (slot := self._slots.get(id_)) is not None}

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        require_one_change_each(changes)
        with self._lock:
            return [self._apply(change) for change in changes]

    def search(self, query: Query, limit: int, filters: Sequence[Filter] = ()) -> list[ScoredProduct]:
        matchers = [matcher(condition) for condition in filters]
        with self._lock:
            slots, scores = self._score(query)
            kept = self._alive[slots]
            slots, scores = slots[kept], scores[kept]
            best = self._matching(slots, scores, limit, matchers) if matchers else _best(scores, limit)
            return [self._hit(slots[place], scores[place]) for place in best]

    def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        with self._lock:
            slots = {id_: self._slots[id_] for id_ in product_ids if id_ in self._slots}
            return {id_: dict(self._documents[slot]) for id_, slot in slots.items() if self._alive[slot]}

    def scan(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            alive = [document for document, alive in zip(self._documents, self._alive, strict=False) if alive]
        for document in alive:
            yield dict(document)

    def vectors(self, product_ids: Sequence[str]) -> dict[str, dict[str, Vector]]:
        with self._lock:
            slots = {product_id: self._slots.get(product_id, -1) for product_id in product_ids}
            there = {product_id: slot for product_id, slot in slots.items() if slot >= 0 and self._alive[slot]}
            return {
                product_id: {
                    name: held[slot].copy() for name, held in self._vectors.items() if self._present[name][slot]
                }
                for product_id, slot in there.items()
            }

    def count(self) -> int:
        return int(self._alive.sum())

    def flush(self) -> None:
        """Nothing to do: memory is neither durable nor slow."""

    def close(self) -> None:
        """Nothing to do: the memory goes with the object."""

    def _apply(self, change: Change) -> Applied:
        slot = self._slots.get(change.product_id)
        try:
            check_change(change, self._dimensions)
        except IndexRefused as refusal:
            return Applied(Outcome.REFUSED, str(refusal))
        outcome = decide(change, None if slot is None else self._states[slot])
        if outcome is Outcome.WRITTEN:
            self._write(self._new_slot(change.product_id) if slot is None else slot, change)
        return Applied(outcome)

    def _write(self, slot: int, change: Change) -> None:
        if isinstance(change, Tombstone):
            hashes, keywords, document = ContentHashes(), "", {}
            vectors: Mapping[str, Vector | None] = dict.fromkeys(self._dimensions)
        else:
            hashes, keywords = change.hashes, cut_keywords(change.keywords)
            absent = {} if isinstance(change, PartialUpdate) else dict.fromkeys(self._dimensions)
            vectors = absent | dict(change.vectors)
            document = orjson.loads(document_json(change.document))
        self._states[slot] = IndexedState(change.version, isinstance(change, Tombstone), hashes, change.position)
        self._documents[slot] = document
        self._alive[slot] = not isinstance(change, Tombstone)
        self._postings.put(slot, keywords)
        for name, vector in vectors.items():
            self._present[name][slot] = vector is not None
            self._vectors[name][slot] = 0 if vector is None else vector

    def _new_slot(self, product_id: str) -> int:
        slot = len(self._ids)
        if slot == len(self._alive):
            self._alive = _doubled(self._alive)
            self._present = {name: _doubled(array) for name, array in self._present.items()}
            self._vectors = {name: _doubled(array) for name, array in self._vectors.items()}
        self._slots[product_id] = slot
        self._ids.append(product_id)
        self._states.append(IndexedState(-1, False, ContentHashes()))
        self._documents.append({})
        return slot

    def _score(self, query: Query) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        if not isinstance(query, VectorQuery):
            return self._postings.score(Counter(query.keywords.split()))
        if query.field not in self._dimensions:
            raise IndexRefused(f"the index has no {query.field}")
        vectors, size = self._vectors[query.field], self._dimensions[query.field]
        if query.vector.shape != (size,):
            raise IndexRefused(f"a query of shape {query.vector.shape} on {query.field} of dimension {size}")
        used = len(self._ids)
        slots = np.flatnonzero(self._present[query.field][:used])
        scores: NDArray[np.float32] = (vectors[:used] @ query.vector.astype(np.float32, copy=False))[slots]
        return slots, scores

    def _hit(self, slot: int, score: float) -> ScoredProduct:
        return ScoredProduct(self._ids[slot], float(score), self._documents[slot].get("availability", ""))

    def _matching(
        self, slots: NDArray[np.int64], scores: NDArray[np.float32], limit: int, matchers: Sequence[Matcher]
    ) -> list[int]:
        """Places of the best that match; documents are looked at from the best down until there are enough."""
        found: list[int] = []
        for place in np.argsort(-scores, kind="stable").tolist():
            if len(found) >= limit:
                break
            document = self._documents[slots[place]]
            if all(matches(document) for matches in matchers):
                found.append(place)
        return found


def _best(scores: NDArray[np.float32], limit: int) -> NDArray[np.int64]:
    """Places of the highest scores, best first; equal scores in the order of insertion."""
    if limit <= 0:
        return np.zeros(0, np.int64)
    if limit < len(scores):
        border = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        places = np.flatnonzero(scores >= border)
    else:
        places = np.arange(len(scores))
    return places[np.argsort(-scores[places], kind="stable")][:limit]


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([array, np.zeros_like(array)])
