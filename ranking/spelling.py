"""Words of a query that the catalogue does not have, replaced by the closest that it has."""

import re
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from symspellpy import SymSpell, Verbosity

_SHORTEST = 4
_TWO_ERRORS_FROM = 8
_LONGEST = 40
_MOST_LOOKUPS = 16  # a text with more unknown words is no query of this shop's language
# Written without spaces: what stands between two spaces is no word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af]"
)
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


@dataclass(frozen=True, slots=True)
class Correction:
    """`replaced`: each word as written, with the one that stands in its place."""

    text: str
    replaced: tuple[tuple[str, str], ...]


class SpellingVocabulary:
    """The catalogue's words before stemming, with how often they occur. Lookups are safe from several threads.

    Distances are Damerau-Levenshtein with each letter edited once (optimal string alignment), found by symmetric
    deletes (Garbe's SymSpell): 1 for words of 4 to 7 letters, 2 for longer ones.
    """

    def __init__(self, frequencies: Mapping[str, int]) -> None:
        self._symspell = SymSpell(max_dictionary_edit_distance=2)
        merged: dict[str, int] = {}
        for word, frequency in frequencies.items():
            merged[_fold(word)] = merged.get(_fold(word), 0) + frequency
        for word, frequency in merged.items():
            self._symspell.create_dictionary_entry(word, frequency)
        self._frequencies = merged
        self._lock = threading.Lock()

    def nearest(self, word: str) -> str | None:
        """The closest known word: of equally close ones one with the same first letter, then the most frequent.

        None where the word is known or nothing is close, and for what is no word: digits, Chinese, Thai.
        """
        folded = _fold(word)
        if folded in self._frequencies or not _is_correctable(folded):
            return None
        allowed = 2 if len(folded) >= _TWO_ERRORS_FROM else 1
        with self._lock:  # its distances are computed in a buffer of its own
            close = self._symspell.lookup(folded, Verbosity.CLOSEST, max_edit_distance=allowed)
        best = min(close, key=lambda found: (found.term[0] != folded[0], -found.count, found.term), default=None)
        return None if best is None else str(best.term)

    def correct(self, text: str) -> Correction:
        replaced: list[tuple[str, str]] = []
        lookups = 0

        def correction(match: re.Match[str]) -> str:
            nonlocal lookups
            if lookups == _MOST_LOOKUPS or _fold(match[0]) in self._frequencies:
                return match[0]
            lookups += 1
            nearest = self.nearest(match[0])
            if nearest is None:
                return match[0]
            replaced.append((match[0], nearest))
            return nearest

        return Correction(_WORD.sub(correction, text), tuple(replaced))


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).lower().replace("\u2019", "'")


def _is_correctable(folded: str) -> bool:
    letters = folded.replace("'", "")
    return _SHORTEST <= len(letters) <= _LONGEST and letters.isalpha() and not _UNSPACED.search(folded)
