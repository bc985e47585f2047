"""The words and brands of the shop's products: by them mistakes and brands in a query are told from other words."""

import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from index.text_analysis import Analyser
from ranking.brand_names import BrandNames
from ranking.spelling import Correction, SpellingVocabulary, is_unspaced

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
# In a catalogue of many products a word that few have is a name or a mistake, hardly what a shopper meant to type.
_FREQUENT, _MANY = 3, 5_000
_TEXTS = ("title", "description", "brand")


class CatalogueWords:
    """Learns from documents, from one thread at a time; queries may be looked up from several meanwhile.

    It corrects nothing before it is `complete`: until then a word that it has not seen may well be one of a product.
    What only products that are gone had stays known.
    """

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser
        self._vocabulary = SpellingVocabulary()
        self._stems: set[str] = set()
        self._stemmed: set[tuple[str, str]] = set()  # language and word
        self._brands = BrandNames()
        self._brand_of: dict[str, str] = {}  # by product id
        self._counted: set[str] = set()  # product ids
        self._is_complete = False

    def complete(self) -> None:
        """Every product has been seen."""
        _english_words()  # so that no query waits for them
        self._is_complete = True

    def learn(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """A product counts once, however often it comes: of one that is known only words that nobody had are added."""
        words: Counter[str] = Counter()
        for document in documents:
            found = _words(document)
            self._stem(found, document.get("language", "en"))
            words.update(found if self._is_new(document["id"]) else self._unknown(found - words.keys()))
            self._remember_brand(document["id"], document.get("brand"))
        self._vocabulary.add(words)

    def forget(self, product_ids: Iterable[str]) -> None:
        """Products that are gone."""
        for product_id in product_ids:
            self._remember_brand(product_id, None)

    def correct(self, text: str, language: str, as_words: Collection[str] = ()) -> Correction:
        """`text` with the words that no product has replaced by close ones that some have.

        Other forms of words that products have stay, and so do English words, for a product may have another word for
        the same thing; so does each of `as_words`. A text with Chinese, Japanese, Korean or Thai stays as it is.
        """
        if not self._is_complete or is_unspaced(text):
            return Correction(text, ())
        kept = {word.strip().casefold() for word in as_words}

        def is_right(word: str) -> bool:
            if word.casefold() in kept or word.lower() in _english_words():
                return True
            return self._analyser.analyse(word, language) in self._stems

        return self._vocabulary.correct(text, is_right, min(_FREQUENT, 1 + len(self._counted) // _MANY))

    def brands(self, text: str) -> tuple[str, ...]:
        """The brands in a text, each as products spell it."""
        return self._brands.find(text)

    def of_brands(self, product_ids: Iterable[str], brands: Collection[str]) -> set[str]:
        """Those products that are of one of the brands."""
        return {product_id for product_id in product_ids if self._brand_of.get(product_id) in brands}

    def _is_new(self, product_id: str) -> bool:
        counted = len(self._counted)
        self._counted.add(product_id)
        return len(self._counted) > counted

    def _unknown(self, words: Iterable[str]) -> list[str]:
        return [word for word in words if word not in self._vocabulary]

    def _stem(self, words: Iterable[str], language: str) -> None:
        new = {(language, word) for word in words} - self._stemmed
        self._stems.update(self._analyser.analyse(word, language) for _, word in new)
        self._stemmed |= new

    def _remember_brand(self, product_id: str, brand: str | None) -> None:
        if brand:
            self._brands.add([brand])
            self._brand_of[product_id] = sys.intern(brand)
        else:
            self._brand_of.pop(product_id, None)


def _words(document: Mapping[str, Any]) -> set[str]:
    """What stands between spaces in Chinese is no word."""
    return {word.lower() for text in _texts(document) for word in _WORD.findall(text) if not is_unspaced(word)}


def _texts(document: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(document.get(name, "")) for name in _TEXTS)
    yield from document.get("categories", ())
    for value in document.get("attributes", {}).values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


@cache
def _english_words() -> frozenset[str]:
    """82,765 words: those of SCOWL that Google Books has, as symspellpy brings them."""
    lines = (files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    return frozenset(line.partition(" ")[0].lower() for line in lines)
