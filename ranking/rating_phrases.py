"""Ratings ("4 stars and up", "4.5星以上") and availability ("in stock", "有货") in a query."""

import re
from collections.abc import Iterator

from index.base import Filter
from ranking.phrase_numbers import HAN_NUMERALS, counts_something, goes_on, read_number
from ranking.phrase_text import begins_a_word
from ranking.price_phrases import Found

_MOST_STARS = 5
_WORDS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0}
_STARS = rf"(?P<stars>[0-9](?:\.[0-9])?|{'|'.join(_WORDS)}|[{HAN_NUMERALS}]{{1,4}})"
_AT_LEAST = "at least|over|above|more than|higher than|better than|minimum|min|>=?|≥"
_AND_UP = r"(?: ?\+| (?:and|&|or) (?:up|above|more|higher|over|better))"
_NO_WORD = "(?![a-z0-9])"
# A word that each pattern cannot do without: most queries have none of them.
_RATINGS = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        ("star", rf"(?:(?:rated|ratings?) )?{_STARS}(?: ?\+[ -]?stars?|[ -]?stars?{_AND_UP}){_NO_WORD}"),
        (
            "star",
            rf"(?:(?:rated|ratings?) (?:of )?)?(?:{_AT_LEAST}) ?{_STARS}[ -]?(?:stars|star(?= rat|$))"
            rf"(?: ratings?)?{_NO_WORD}",
        ),
        ("rat", rf"(?:rated|ratings?)(?: of|:)? (?:{_AT_LEAST}) ?{_STARS}(?P<bare>)"),
        ("rat", rf"(?:rated|ratings?)(?: of|:)? {_STARS}{_AND_UP}{_NO_WORD}"),
        ("星", rf"{_STARS} ?[颗顆]?星级?[及或和]?以上的?"),
        ("分", rf"评分[在为: ]?{_STARS} ?[分星]?[及或]?以上的?"),
        ("分", rf"评分(?:高于|大于|超过|不低于|至少) ?{_STARS}(?:[分星]的?|(?P<bare>))"),
    )
)
_IN_STOCK = (
    ("stock", re.compile(r"(?<![a-z0-9-])(?<!not )in[ -]stock(?![a-z-])(?! ?pots?)")),
    *(
        (
            goods,
            re.compile(
                rf"(?<![没沒无無非未])(?<![没沒]有)(?:有[现現]?{goods}|[现現]{goods})(?![架车車柜櫃运運梯物源号號箱])"
            ),
        )
        for goods in "货貨"
    ),
)
_AVAILABLE = (Filter("availability", any_of=("in_stock",)),)


def rating_phrases(folded: str) -> Iterator[Found]:
    """Every rating of 0 to 5, possibly overlapping, as start, end and filters."""
    for word, pattern in _RATINGS:
        for match in pattern.finditer(folded) if word in folded else ():
            stars = _WORDS.get(match["stars"]) or read_number(match["stars"])
            if stars is not None and stars <= _MOST_STARS and _stands_alone(match):
                yield *match.span(), (Filter("rating", at_least=stars),)


def availability_phrases(folded: str) -> Iterator[Found]:
    for word, pattern in _IN_STOCK:
        for match in pattern.finditer(folded) if word in folded else ():
            yield *match.span(), _AVAILABLE


def _stands_alone(match: re.Match[str]) -> bool:
    if not begins_a_word(match.string, match.start()):
        return False
    if match.groupdict().get("bare") is None:
        return True
    return not goes_on(match.string, match.end()) and not counts_something(match.string, match.end())
