"""The form of a query in which phrases are looked for: one character for each of the text's, so that places agree."""

import re
from collections.abc import Iterable
from typing import Final

GAP: Final = "\n"  # no phrase reaches across it; a folded text has none of its own
_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u2002\u2003\u2007\u2009\u200a\u2028\u2029\u202f\u3000"
_FOLDED = {
    **{code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)},
    **{code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)},  # full-width forms of ASCII
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u2032"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u2033"), '"'),
    **{ord("\u301c"): "~", ord("\uffe5"): "¥", ord("\uffe1"): "£"},
}

_WITHIN_A_WORD = re.compile(r"[a-z0-9_'-]$|[0-9][.,/:]$")


def fold(text: str) -> str:
    """As long as `text`: small letters of ASCII, and full-width forms, spaces, dashes and quotes as those of ASCII."""
    return text.translate(_FOLDED)


def begins_a_word(folded: str, start: int) -> bool:
    """Whether what begins at `start` is no part of a longer word or number; Chinese has no such borders."""
    if not (folded[start].isascii() and folded[start].isalnum()):
        return True
    return _WITHIN_A_WORD.search(folded, max(0, start - 2), start) is None


def without(text: str, spans: Iterable[tuple[int, int, object]], joint: str) -> str:
    """What is left between `spans` (start, end, whatever; in order, apart), joined where something is left."""
    pieces = []
    begin = 0
    for start, end, _ in spans:
        pieces.append(text[begin:start].strip())
        begin = end
    pieces.append(text[begin:].strip())
    return joint.join(piece for piece in pieces if piece)


def hide(folded: str, start: int, end: int) -> str:
    """The same length, with a gap from `start` to `end`."""
    return folded[:start] + GAP * (end - start) + folded[end:]
