"""Words of a query that the catalogue does not have, replaced by the closest that it has."""

import re
import threading
import unicodedata
from collections.abc import Callable, Mapping
from typing import NamedTuple

from symspellpy import SymSpell, Verbosity

_SHORTEST = 4
_TWO_ERRORS_FROM = 8
_LONGEST = 40
_MOST_LOOKUPS = 16  # a text with more unknown words is no query of this shop's language
# Written without spaces: what stands between two spaces is no word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U000323af]"
)
_CHUNK = re.compile(r"\S+")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


class Correction(NamedTuple):
    """`replaced`: each word as written, with the one that stands in its place."""

    text: str
    replaced: tuple[tuple[str, str], ...]


class SpellingVocabulary:
    """The catalogue's words before stemming, with how often they were seen. Safe to use from several threads.

    Distances are Damerau-Levenshtein with each letter edited once (optimal string alignment), found by symmetric
    deletes (Garbe's SymSpell): 1 for words of 4 to 7 letters, 2 for longer ones. The first letter stays, as in Lucene's
    DirectSpellChecker, and of a word of 4 letters their number does.
    """

    def __init__(self, frequencies: Mapping[str, int] | None = None) -> None:
        self._symspell = SymSpell(max_dictionary_edit_distance=2)
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self.add(frequencies or {})

    def __contains__(self, word: str) -> bool:
        return _fold(word) in self._known

    def add(self, frequencies: Mapping[str, int]) -> None:
        """Words that were seen so often more."""
        for word, frequency in frequencies.items():
            folded = _fold(word)
            self._known.add(folded)
            if _is_correctable(folded):  # anything else is never the right word for what is
                with self._lock:
                    self._symspell.create_dictionary_entry(folded, frequency)

    def nearest(self, word: str, least_frequency: int = 1) -> str | None:
        """The closest known word that was seen so often: of equally close ones the most frequent.

        None where the word is known or nothing is close, and for what is no word: digits, Chinese, Thai.
        """
        folded = _fold(word)
        if folded in self._known or not _is_correctable(folded):
            return None
        allowed = 2 if len(folded) >= _TWO_ERRORS_FROM else 1
        with self._lock:  # its distances are computed in a buffer of its own
            close = self._symspell.lookup(folded, Verbosity.CLOSEST, max_edit_distance=allowed)
        likely = (found for found in close if found.count >= least_frequency and _may_stand_for(found.term, folded))
        best = min(likely, key=lambda found: (-found.count, found.term), default=None)
        return None if best is None else str(best.term)

    def correct(
        self, text: str, is_right: Callable[[str], bool] = lambda word: False, least_frequency: int = 1
    ) -> Correction:
        """`is_right` knows further words that stay. So does what stands together with a digit: it names an article."""
        replaced: list[tuple[str, str]] = []
        lookups = 0

        def correction(match: re.Match[str]) -> str:
            nonlocal lookups
            if lookups == _MOST_LOOKUPS or match[0] in self or is_right(match[0]):
                return match[0]
            lookups += 1
            nearest = self.nearest(match[0], least_frequency)
            if nearest is None:
                return match[0]
            replaced.append((match[0], nearest))
            return nearest

        def corrections(chunk: re.Match[str]) -> str:
            return chunk[0] if _DIGIT.search(chunk[0]) else _WORD.sub(correction, chunk[0])

        return Correction(_CHUNK.sub(corrections, text), tuple(replaced))


def is_unspaced(text: str) -> bool:
    """Whether some of it is in a script that does not part words by spaces, or hardly does: Chinese, Korean, Thai."""
    return _UNSPACED.search(text) is not None


def _may_stand_for(term: str, folded: str) -> bool:
    kept = len(_letters(term)) == len(_letters(folded))
    return term[0] == folded[0] and (kept or len(_letters(folded)) > _SHORTEST)


def _letters(folded: str) -> str:
    return folded.replace("'", "")


def _fold(word: str) -> str:
    return unicodedata.normalize("NFKC", word).lower().replace("\u2019", "'")


def _is_correctable(folded: str) -> bool:
    letters = _letters(folded)
    return _SHORTEST <= len(letters) <= _LONGEST and letters.isalpha() and not is_unspaced(folded)
