"""A server learns the words of its index, and of what is indexed later."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pytest

from cli import catalogue_reading
from cli.catalogue_reading import CatalogueReader, StyleLearner
from index.base import TEXT_FIELD, ContentHashes, IndexUnavailable, ProductRow
from index.memory import MemoryIndex
from index.text_analysis import Analyser
from ranking.catalogue_words import CatalogueWords
from ranking.product_table import ProductTable
from topics.events import ProductIndexed

WAIT_SECONDS = 10.0
Outcome = Literal["indexed", "attributes_updated", "deleted", "stale"]


class Faltering(MemoryIndex):
    """Does not answer the first scan."""

    faltered = False

    def scan(self) -> Iterator[dict[str, Any]]:
        if not self.faltered:
            self.faltered = True
            raise IndexUnavailable("not yet")
        yield from super().scan()


def write(index: MemoryIndex, product_id: str, title: str, brand: str | None = None) -> None:
    vectors = {TEXT_FIELD: np.array([1, 0, 0, 0], np.float32)}
    document = {"id": product_id, "title": title, "brand": brand}
    index.apply([ProductRow(product_id, 1, document, title, ContentHashes(), vectors)])


def indexed(product_id: str, outcome: Outcome = "indexed") -> ProductIndexed:
    return ProductIndexed(
        product_id=product_id,
        version=1,
        outcome=outcome,
        index=None,
        releases={},
        event_at=1,
        received_at=1,
        encoded_at=None,
        searchable_at=1,
    )


def reader_of(index: MemoryIndex, words: CatalogueWords, products: ProductTable | None = None) -> CatalogueReader:
    known = ProductTable([], ["brand"]) if products is None else products
    return CatalogueReader(index, words, StyleLearner(index, known, {TEXT_FIELD: 4}))


@pytest.fixture
def words() -> CatalogueWords:
    return CatalogueWords(Analyser())


def test_words_of_the_index_are_known_also_after_an_outage(
    words: CatalogueWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_reading, "_RETRY_SECONDS", 0.01)
    index = Faltering(4)
    write(index, "1", "Wireless headphones")
    with reader_of(index, words) as reader:
        assert reader.wait_until_read(WAIT_SECONDS)
    assert words.correct("headphnes", "en").text == "headphones"


def test_a_product_that_is_indexed_later_is_learned(words: CatalogueWords) -> None:
    index = MemoryIndex(4)
    with reader_of(index, words) as reader:
        assert reader.wait_until_read(WAIT_SECONDS)
        write(index, "2", "Loudspeaker")
        reader.hear([indexed("2"), indexed("gone meanwhile")])
    assert words.correct("lodspeaker", "en").text == "loudspeaker"


def test_a_brand_is_heard_of_when_attributes_change_and_forgotten_with_its_product(words: CatalogueWords) -> None:
    index = MemoryIndex(4)
    reader = reader_of(index, words)
    write(index, "2", "Loudspeaker", "Sony")
    reader.hear([indexed("2", "attributes_updated")])
    assert words.of_brands(["2"], ["Sony"]) == {"2"}
    reader.hear([indexed("2"), indexed("2", "deleted")])
    assert words.of_brands(["2"], ["Sony"]) == set()
    reader.hear([indexed("2", "deleted"), indexed("2")])
    assert words.of_brands(["2"], ["Sony"]) == {"2"}


def test_it_ends_while_the_index_is_away(words: CatalogueWords) -> None:
    with reader_of(Faltering(4), words) as reader:
        assert not reader.wait_until_read(0.05)


def test_features_of_products_are_known_with_their_vectors_until_they_go(words: CatalogueWords) -> None:
    index, products = MemoryIndex(4), ProductTable([], ["brand"])
    write(index, "1", "Loudspeaker", "Sony")
    with reader_of(index, words, products) as reader:
        assert reader.wait_until_read(WAIT_SECONDS)
        rows = products.rows(["1"])
        assert products.vectors(rows).tolist() == [[1, 0, 0, 0]]
        assert (products.values("brand", rows) >= 0).sum() == 1
        reader.hear([indexed("1", "deleted")])
    assert products.rows(["1"]).tolist() == [0]


class Away(MemoryIndex):
    """Does not answer when it is asked for documents the first time."""

    was_asked = False

    def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        if not self.was_asked:
            self.was_asked = True
            raise IndexUnavailable("not now")
        return super().documents(product_ids)


def test_what_was_heard_while_the_index_was_away_is_learned_with_the_next_product(words: CatalogueWords) -> None:
    index = Away(4)
    reader = reader_of(index, words)
    write(index, "1", "Loudspeaker", "Sony")
    write(index, "2", "Headphones", "Bose")
    reader.hear([indexed("1")])
    assert words.of_brands(["1", "2"], ["Sony", "Bose"]) == set()
    reader.hear([indexed("2")])
    assert words.of_brands(["1", "2"], ["Sony", "Bose"]) == {"1", "2"}
