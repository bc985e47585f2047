"""The language of a query by its script, for queries that name none."""

import re
from collections.abc import Sequence
from typing import Final

_LATIN: Final = "latin"
# Each script with its languages, the most frequent first; every other language is taken to be written in Latin letters.
_LANGUAGES = {
    "kana": ("ja",),
    "han": ("zh", "ja"),
    "hangul": ("ko",),
    "thai": ("th",),
    "cyrillic": ("ru", "uk", "bg", "sr", "be", "mk", "kk"),
    "arabic": ("ar", "fa", "ur"),
    "hebrew": ("he", "yi"),
    "greek": ("el",),
    "devanagari": ("hi", "ne", "mr"),
}
_LETTERS = {
    "kana": "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "han": "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "thai": "\u0e01-\u0e5b",
    "cyrillic": "\u0400-\u052f",
    "arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "hebrew": "\u0590-\u05ff",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "devanagari": "\u0900-\u097f",
    _LATIN: "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a",
}
_COUNTED = {script: re.compile(f"[{letters}]") for script, letters in _LETTERS.items()}
# Brands and models are written in Latin letters everywhere ("iPhone 手机壳"); the other way round is rare.
_LEAST_SHARE = 0.1


def query_language(text: str, languages: Sequence[str], default: str) -> str:
    """A BCP 47 tag: one of `languages` where one of them is written in the query's script.

    A script other than Latin decides from a tenth of the letters on, the most frequent one where there are several.
    Of several languages of one script the default comes first, then the order of `languages`.
    """
    script = _script(text)
    preferred = [tag for tag in (default, *languages) if _is_written_in(tag, script)]
    if preferred:
        return preferred[0]
    return default if script == _LATIN else _LANGUAGES[script][0]


def _script(text: str) -> str:
    if text.isascii():
        return _LATIN
    counts = {script: len(letters.findall(text)) for script, letters in _COUNTED.items()}
    if counts["kana"]:  # Japanese writes most nouns in Han
        counts["kana"] += counts.pop("han")
    least = _LEAST_SHARE * sum(counts.values())
    others = {script: count for script, count in counts.items() if script != _LATIN and count and count >= least}
    return max(others, key=others.__getitem__, default=_LATIN)


def _is_written_in(tag: str, script: str) -> bool:
    primary = tag.partition("-")[0].lower()
    if script == _LATIN:
        return not any(primary in languages for languages in _LANGUAGES.values())
    return primary in _LANGUAGES[script]
