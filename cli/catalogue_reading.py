"""How a server learns the words and brands of the shop: all that is there, then each product as it is indexed."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, Self

from index.base import IndexUnavailable, VectorIndex, VectorIndexError
from index.text_analysis import Analyser
from ranking.catalogue_words import CatalogueWords
from ranking.feature_settings import Feature
from ranking.newest import NewestProducts
from ranking.product_table import ProductTable, declared_table
from ranking.stock import Stock
from ranking.style_vectors import style_vector
from topics.events import ProductIndexed

logger = logging.getLogger(__name__)

_AT_ONCE = 100
_BREATH_SECONDS = 0.01  # between two batches: searches come first
_RETRY_SECONDS = 10.0
_CHANGES = ("indexed", "attributes_updated")


class Learner(Protocol):
    """Knows something of every product as it is now."""

    def learn(self, documents: Iterable[Mapping[str, Any]]) -> None: ...

    def forget(self, product_ids: Iterable[str]) -> None: ...


class CatalogueKnowledge:
    """What a server knows of the whole catalogue, once a reader has taught it."""

    def __init__(self, analyser: Analyser, features: Iterable[Feature]) -> None:
        """`features` say what is kept of each product."""
        self.words = CatalogueWords(analyser)
        self.newest = NewestProducts()
        self.stock = Stock()
        self.table = declared_table(features)


class StyleLearner:
    """Teaches a table products with their vectors, which it looks up in the index."""

    def __init__(self, index: VectorIndex, table: ProductTable, dimensions: Mapping[str, int]) -> None:
        """`dimensions` of the index's vectors, by field."""
        self._index = index
        self._table = table
        self._dimensions = dimensions

    def learn(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Raises IndexUnavailable."""
        products = list(documents)
        vectors = self._index.vectors([product["id"] for product in products])
        self._table.learn(products)
        styles = {product_id: style_vector(known, self._dimensions) for product_id, known in vectors.items()}
        self._table.learn_vectors(styles)

    def forget(self, product_ids: Iterable[str]) -> None:
        self._table.forget(product_ids)


class CatalogueReader:
    """Reads the index on a thread of its own, and hears of what comes meanwhile and later. Use as a context manager."""

    def __init__(self, index: VectorIndex, words: CatalogueWords, *others: Learner) -> None:
        """`others` learn the same products."""
        self._index = index
        self._words = words
        self._learners: Sequence[Learner] = (words, *others)
        self._missed: Sequence[str] = ()
        self._learning = threading.Lock()
        self._ended = threading.Event()
        self._read = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read catalogue", daemon=True)

    def wait_until_read(self, timeout_seconds: float) -> bool:
        """Whether, within the time, every product was seen: from then on words are corrected."""
        return self._read.wait(timeout_seconds)

    def hear(self, events: Sequence[ProductIndexed]) -> None:
        """What cannot be looked up while the index is away is looked up with the next products."""
        became = {event.product_id: event.outcome for event in events if event.index is None}
        gone = [product_id for product_id, outcome in became.items() if outcome == "deleted"]
        changed = [product_id for product_id, outcome in became.items() if outcome in _CHANGES]
        self._missed = self._not_learned([*self._missed, *changed])
        with self._learning:
            for learner in self._learners:
                learner.forget(gone)

    def _not_learned(self, product_ids: Sequence[str]) -> Sequence[str]:
        """Learn these, as they are now; all of them where the index is away."""
        try:
            if product_ids:
                self._learn(list(self._index.documents(list(dict.fromkeys(product_ids))).values()))
        except IndexUnavailable as error:
            logger.warning("%d products are learned with the next ones: %s", len(product_ids), error)
            return product_ids
        return ()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._read_all()
                return
            except VectorIndexError as error:
                logger.warning("The words of the catalogue cannot be read, it is tried again: %s", error)
                self._ended.wait(_RETRY_SECONDS)

    def _read_all(self) -> None:
        products = 0
        for documents in _batches(self._index.scan()):
            self._learn(documents)
            products += len(documents)
            if self._ended.wait(_BREATH_SECONDS):
                return
        self._words.complete()
        self._read.set()
        logger.info("The words and brands of %d products are known", products)

    def _learn(self, documents: Sequence[dict[str, Any]]) -> None:
        with self._learning:
            for learner in self._learners:
                learner.learn(documents)


def _batches(documents: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(documents, _AT_ONCE)):
        yield batch
