import threading
from collections.abc import ItemsView
from typing import Any

from milvus_lite.index.sparse_inverted import SparseInvertedIndex

from index.embedded_bm25 import Corpus, CorpusIndex, Counted


def segment(corpus: Corpus, *rows: dict[int, float]) -> CorpusIndex:
    index = CorpusIndex(1.2, 0.75, corpus)
    index.build(list(rows))
    index.join_corpus()
    return index


def documents(corpus: Corpus) -> tuple[int, dict[int, int]]:
    count, _, frequencies = corpus.statistics(SparseInvertedIndex(), {1, 2})
    return count, frequencies


def test_a_segment_counts_until_it_is_thrown_away() -> None:
    corpus = Corpus()
    kept = segment(corpus, {1: 1.0}, {1: 1.0, 2: 1.0})
    gone = segment(corpus, {2: 1.0})
    assert documents(corpus) == (3, {1: 2, 2: 2})
    del gone
    assert documents(corpus) == (2, {1: 2, 2: 1})
    assert kept.in_corpus


def test_a_segment_may_be_thrown_away_while_another_is_counted() -> None:
    """The garbage collector runs where it likes, in the thread that holds the lock too."""
    corpus = Corpus()
    going = [segment(corpus, {1: 1.0})]

    class Collecting(dict[int, int]):
        def items(self) -> ItemsView[int, Any]:
            going.clear()
            return super().items()

    counting = threading.Thread(target=corpus.add, args=[Counted(Collecting({2: 1}), 1, 1.0)], daemon=True)
    counting.start()
    counting.join(5)
    assert not counting.is_alive(), "it waits for its own lock"
    assert documents(corpus) == (1, {1: 0, 2: 1})
