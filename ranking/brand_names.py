"""The names of brands in a query."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import rjieba

from index.text_analysis import HAN

_RUN = re.compile(rf"(?P<han>[{HAN}]+)|[^\W_{HAN}]+")
_ACCENTS = dict.fromkeys(range(0x300, 0x370))


class _Token(NamedTuple):
    """A word, or one Chinese character: `begins` and `ends` tell whether a Chinese word does so with it."""

    text: str
    begins: bool = True
    ends: bool = True


class BrandNames:
    """Brands by their first word; a query is looked up in time that grows with its own length only."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}  # by the first word, the greatest first
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Further brands, from one thread at a time; others may look up meanwhile."""
        for name in names:
            if name not in self._known:
                self._known.add(name)
                self._add(name)

    def _add(self, name: str) -> None:
        words = tuple(token.text for token in _tokens(name))
        if words:
            self._names[words] = (*self._names.get(words, ()), name)
            lengths = {*self._lengths.get(words[0], ()), len(words)}
            self._lengths[words[0]] = tuple(sorted(lengths, reverse=True))

    def find(self, text: str) -> tuple[str, ...]:
        """The brands that stand in `text` as whole words, the longest where several begin, in the order of the text.

        Case, accents and punctuation do not count. A brand that the shop writes in several ways is given in each.
        """
        tokens = _tokens(text)
        found: dict[str, None] = {}
        start = 0
        while start < len(tokens):
            words = self._longest_from(tokens, start)
            found.update(dict.fromkeys(self._names.get(words, ())))
            start += len(words) or 1
        return tuple(found)

    def _longest_from(self, tokens: Sequence[_Token], start: int) -> tuple[str, ...]:
        if tokens[start].begins:
            for length in self._lengths.get(tokens[start].text, ()):
                words = tuple(token.text for token in tokens[start : start + length])
                if words in self._names and tokens[start + len(words) - 1].ends:
                    return words
        return ()


def _tokens(text: str) -> list[_Token]:
    """Chinese is written without spaces: 美的 is a brand, but none in 完美的."""
    bare = unicodedata.normalize("NFKD", text).casefold().translate(_ACCENTS)
    tokens: list[_Token] = []
    for run in _RUN.finditer(unicodedata.normalize("NFKC", bare)):
        if run["han"] is None:
            tokens.append(_Token(run[0]))
            continue
        for word in rjieba.cut(run[0]):
            last = len(word) - 1
            tokens += [_Token(character, place == 0, place == last) for place, character in enumerate(word)]
    return tokens
