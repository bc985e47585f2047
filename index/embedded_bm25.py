"""BM25 in milvus-lite with the statistics of the whole collection.

milvus-lite 3.2 counts each segment, and what is not flushed, for itself: a product that has just changed is scored as
if the shop had a handful of products, and falls behind the others. Milvus itself counts the collection.
"""

import copy
import threading
import weakref
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from milvus_lite.analyzer.sparse import bytes_to_sparse
from milvus_lite.engine.collection import Collection
from milvus_lite.index import sparse_factory
from milvus_lite.index.sparse_inverted import SparseInvertedIndex

_asked = threading.local()  # .corpus: what the search of this thread is about


class Counted(NamedTuple):
    """How many documents and tokens a segment holds, and how many documents each token."""

    frequencies: Mapping[int, int]
    documents: int
    length: float


class Corpus:
    """What the segments of a collection hold together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gone: deque[Counted] = deque()
        self._documents = 0
        self._length = 0.0
        self._frequencies: Counter[int] = Counter()

    def add(self, counted: Counted) -> None:
        with self._lock:
            self._count(counted, 1)

    def take_out(self, counted: Counted) -> None:
        """Takes no lock: the garbage collector may call it in a thread that holds it."""
        self._gone.append(counted)

    def statistics(self, own: SparseInvertedIndex, tokens: set[int]) -> tuple[int, float, dict[int, int]]:
        """Documents, mean length and frequencies of the corpus and of an index that is not part of it."""
        with self._lock:
            while self._gone:
                self._count(self._gone.popleft(), -1)
            documents = self._documents + own.doc_count
            length = self._length + own.avgdl * own.doc_count
            frequencies = {token: self._frequencies[token] + own._df.get(token, 0) for token in tokens}
        return documents, length / documents if documents else 0.0, frequencies

    def _count(self, counted: Counted, sign: int) -> None:
        self._documents += sign * counted.documents
        self._length += sign * counted.length
        for token, frequency in counted.frequencies.items():
            self._frequencies[token] += sign * frequency
            if not self._frequencies[token]:
                del self._frequencies[token]


class CorpusIndex(SparseInvertedIndex):  # type: ignore[misc]
    """A segment's index, or that of the rows not flushed, scored by the statistics of the corpus."""

    def __init__(self, k1: float, b: float, corpus: Corpus) -> None:
        super().__init__(k1, b)
        self._corpus = corpus
        self._outside: SparseInvertedIndex = self
        self.in_corpus = False

    def join_corpus(self) -> None:
        """A segment counts from now on until it is thrown away."""
        counted = Counted(self._df, self.doc_count, self.avgdl * self.doc_count)
        self._outside = SparseInvertedIndex()
        self.in_corpus = True
        self._corpus.add(counted)
        weakref.finalize(self, self._corpus.take_out, counted)

    def search(
        self, query_sparse_vectors: list[dict[int, float]], top_k: int, valid_mask: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        scorer = copy.copy(self)
        tokens = {token for query in query_sparse_vectors for token in query}
        scorer.doc_count, scorer.avgdl, scorer._df = self._corpus.statistics(self._outside, tokens)
        answer: tuple[np.ndarray, np.ndarray] = SparseInvertedIndex.search(
            scorer, query_sparse_vectors, top_k, valid_mask
        )
        return answer


def count_whole_collections() -> None:
    """Make BM25 searches of this process use CorpusIndex. Raises AttributeError when milvus-lite is built otherwise."""
    corpora: weakref.WeakKeyDictionary[Any, dict[str, Corpus]] = weakref.WeakKeyDictionary()
    building = threading.Lock()
    create_plain, search_segments = sparse_factory.create_sparse_index, Collection._search_sparse

    def create(metric_type: str, params: Mapping[str, Any]) -> Any:
        if metric_type != "BM25":
            return create_plain(metric_type, params)
        return CorpusIndex(float(params.get("bm25_k1", 1.5)), float(params.get("bm25_b", 0.75)), _asked.corpus)

    def search(collection: Any, **request: Any) -> Any:
        if request["metric_type"] == "BM25":
            field = request["vector_field"]
            with building:
                _asked.corpus = corpora.setdefault(collection, {}).setdefault(field, Corpus())
                _build_missing(collection, field)
        return search_segments(collection, **request)

    sparse_factory.create_sparse_index = create
    Collection._search_sparse = search


def _build_missing(collection: Any, field: str) -> None:
    """Before any segment is scored, all must be counted."""
    specification = collection._index_specs.get(field)
    params = specification.build_params if specification else {}
    for segment in collection._segments_snapshot():
        index = segment.sparse_indexes.get(field)
        if not isinstance(index, CorpusIndex):
            index = sparse_factory.create_sparse_index("BM25", params)
            index.build([bytes_to_sparse(row or b"") for row in segment.table.column(field).to_pylist()])
            segment.sparse_indexes[field] = index
        if not index.in_corpus:
            index.join_corpus()
