"""In which scripts a text is written, by the names of its letters."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Literal, TypeAlias

Script: TypeAlias = Literal[
    "latin", "greek", "cyrillic", "han", "hiragana", "katakana", "hangul", "arabic", "hebrew", "thai", "devanagari",
    "bengali", "tamil", "georgian", "armenian",
]  # fmt: skip

_LETTERS_READ = 1_000


def mostly_in(text: str, scripts: Sequence[Script]) -> bool:
    """True where at least half of the letters are of these scripts, and where there are no letters or no scripts."""
    if not scripts:
        return True
    found = Counter(islice(filter(None, map(_script, text)), _LETTERS_READ))
    inside = sum(found[script] for script in scripts)
    return 2 * inside >= found.total()


@lru_cache(maxsize=16_384)
def _script(character: str) -> str:
    if not character.isalpha():
        return ""
    name = unicodedata.name(unicodedata.normalize("NFKC", character)[0], "")
    first_word = name.partition(" ")[0].lower()
    return "han" if first_word == "cjk" else first_word
