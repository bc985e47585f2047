"""Text to the tokens that BM25 counts, for documents and queries alike: case, stems by language, Chinese words."""

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
# Kana, Hangul, Thai, Lao, Myanmar and Khmer: written without spaces, or with endings that no stemmer here knows.
_UNSPACED = "\u3041-\u30ff\u31f0-\u31ff\u1100-\u11ff\uac00-\ud7af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_RUN = re.compile(
    rf"(?P<han>[{HAN}]+)|(?P<unspaced>[{_UNSPACED}]+)|(?P<word>[^\s'{HAN}{_UNSPACED}]+(?:'[^\s'{HAN}{_UNSPACED}]+)*)"
)
HAN_WORD = re.compile(rf"[{HAN}]+")
_ASCII_SEPARATORS = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) != "'"}

# Lucene's list, which bm25s takes over.
# fmt: off
ENGLISH_STOP_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there",
    "these", "they", "this", "to", "was", "will", "with",
})
# fmt: on

_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
# Shops that write in these scripts write their foreign words mostly in English.
_ENGLISH_BESIDE = frozenset({"zh", "ja", "ko", "th", "lo", "my", "km"})


class Analyser:
    """Gives the tokens of a text joined by spaces; a token holds letters and digits only, so that it is found as it is.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        import rjieba
        import snowballstemmer

        self._segment = rjieba.cut_for_search
        self._create_stemmer = snowballstemmer.stemmer
        self._stemmers: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._stem = lru_cache(maxsize=200_000)(self._stem_uncached)

    def analyse(self, text: str, language: str = "en") -> str:
        """`language` is a BCP 47 tag; the words of a language without a stemmer stay as they are."""
        primary = language.partition("-")[0].lower()
        algorithm = _STEMMERS.get("en" if primary in _ENGLISH_BESIDE else primary, "")
        return " ".join(self._tokens(_fold(text), algorithm))

    def terms(self, text: str, language: str = "en") -> dict[str, str]:
        """Each token that `analyse` gives, and the part of the text that it stands for, as it is written there."""
        found: dict[str, str] = {}
        for run in _RUN.finditer("".join(map(_kept, text))):  # places in it are places in the text
            written = text[run.start() : run.end()]
            if run.lastgroup == "word":
                found |= dict.fromkeys(self.analyse(written, language).split(), written)
            else:
                parts = self._segment(written) if run.lastgroup == "han" else _bigrams(written)
                found |= {_alphanumeric(_fold(part)): part for part in parts}
        return found

    def _tokens(self, folded: str, algorithm: str) -> Iterator[str]:
        for run in _RUN.finditer(folded):
            if run.lastgroup == "han":
                yield from map(_alphanumeric, self._segment(run[0]))
            elif run.lastgroup == "unspaced":
                yield from map(_alphanumeric, _bigrams(run[0]))
            elif algorithm == "english":
                if run[0] not in ENGLISH_STOP_WORDS:
                    yield self._stem(run[0], algorithm)
            else:
                for part in run[0].split("'"):
                    yield self._stem(part, algorithm)

    def _stem_uncached(self, word: str, algorithm: str) -> str:
        if not algorithm:
            return _alphanumeric(word)
        with self._lock:  # a Snowball stemmer works on a buffer of its own
            if algorithm not in self._stemmers:
                self._stemmers[algorithm] = self._create_stemmer(algorithm)
            stem = str(self._stemmers[algorithm].stemWord(word))
        return _alphanumeric(stem.replace("'", "") or word.replace("'", ""))


def _fold(text: str) -> str:
    """One case, one form of each character; everything but letters, digits, their marks and apostrophes is a space."""
    if text.isascii():
        return text.lower().translate(_ASCII_SEPARATORS)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).lower()
    return "".join(_kept(character) for character in folded)


def _kept(character: str) -> str:
    if character.isalnum() or unicodedata.category(character).startswith("M"):
        return character
    return "'" if character in "'\u2019" else " "


def _bigrams(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _alphanumeric(token: str) -> str:
    """Vowel signs and other marks are no word characters to a tokenizer, so they are spelled out."""
    if token.isalnum():
        return token
    return "".join(character if character.isalnum() else f"x{ord(character):x}" for character in token)
