"""Prices in a query: bounds ("under 50", "不超过100", "50元以下", "$50 or less") and ranges ("20-50 eur")."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from index.base import Filter
from ranking.currencies import AFTER, currencies_named, currency_before
from ranking.phrase_numbers import NUMBER, counts_something, goes_on, read_number
from ranking.phrase_text import begins_a_word

Found = tuple[int, int, tuple[Filter, ...]]

# What asks for a price even where no currency is named, and what does so with one only: "air max 90", "up to 12".
_AT_MOST = (
    "under|below|less than|lower than|cheaper than|at most|no more than|not more than|not over"
    "|不超过|不超過|不高于|不高於|不大于|不多于|低于|低於|小于|少于|最多|至多|最高"
)
_AT_LEAST = (
    "over|above|more than|higher than|at least|no less than|not less than|not under"
    "|不低于|不低於|不少于|不小于|高于|高於|大于|多于|超过|超過|至少|最少|最低"
)
_AT_MOST_NAMED = "up to|maximum|max|<=|<|≤|within"
_AT_LEAST_NAMED = "starting at|starting from|from|minimum|min|>=|>|≥"
_BOUND_BEFORE = {
    word: kind
    for kind, words in (
        ("at_most", _AT_MOST),
        ("at_least", _AT_LEAST),
        ("at_most_named", _AT_MOST_NAMED),
        ("at_least_named", _AT_LEAST_NAMED),
    )
    for word in words.split("|")
}
_BOUND_ENDINGS = {word[-1] for word in _BOUND_BEFORE}
_BOUND_LENGTHS = sorted({len(word) for word in _BOUND_BEFORE}, reverse=True)
_BOUND_AFTER = re.compile(
    r" ?(?:(?P<at_most>[及或]?以下|以[内內]|之[内內])"
    r"|(?P<at_most_named>(?:or (?:less|under|below|cheaper)|and (?:under|below)|max(?:imum)?)(?![a-z])|封顶)"
    r"|(?P<at_least_named>(?:or (?:more|over|above)|and (?:up|over|above)|min(?:imum)?)(?![a-z])|\+|[及或]?以上|起))"
)
_CONNECTOR = re.compile(r" ?(?:-|~|到|至) ?| to ")
_BETWEEN_CONNECTOR = re.compile(r" (?:and|to) | ?[-~] ?")
_BETWEEN = "between "
_END_OF_RANGE = re.compile(r" ?(?:之间|之間|以内)")
_MONEY = re.compile(rf"(?P<number>{NUMBER})(?: ?(?P<after>{AFTER}))?")
_PRICE_BEFORE = re.compile(
    r"(?:(?<![a-z0-9])(?:(?P<priced>prices?(?: range)?|priced|costs?|costing|budget)(?: of| is|:)?|for|from) {1,3}"
    r"|(?P<han>价格|价钱|售价|单价|预算|价位|價格|預算)[在为是: ]{0,2})$"
)
_LONGEST_BEFORE = 20
# "vitamins for women over 50", "toys for kids under 5", "ages 5 and over", "安卓10以下"
_AGE_OR_VERSION_BEFORE = re.compile(
    r"(?<![a-z])(?:ages?|aged|(?P<people>men|women|man|woman|adults|seniors|people)"
    r"|(?P<children>kids?|child|children|boys?|girls?|toddlers?|bab(?:y|ies)|dogs?|cats?)) {1,3}$"
    r"|(?:安卓|android|ios|系统|版本|身高|体重) {0,2}$"
)
_OF_AGE = 18


class _Money(NamedTuple):
    """A number with the currencies named beside it."""

    start: int
    end: int
    value: float
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    """`bare`: it may be a price without naming a currency."""

    start: int
    end: int
    price: Filter
    money: tuple[_Money, ...]
    bare: bool


def price_phrases(folded: str, shared_signs: Mapping[str, Sequence[str]]) -> Iterator[Found]:
    """Every price, possibly overlapping, as start, end and filters; all bounds are inclusive."""
    amounts = list(_amounts(folded))
    for phrase in (*_ranges(folded, amounts), *_bounds(folded, amounts)):
        found = _read(folded, phrase, shared_signs)
        if found is not None:
            yield found


def _amounts(folded: str) -> Iterator[_Money]:
    for match in _MONEY.finditer(folded):
        value = read_number(match["number"])
        if value is not None:
            start, before = currency_before(folded, match.start())
            yield _Money(start, match.end(), value, before, match["after"] or "")


def _ranges(folded: str, amounts: Sequence[_Money]) -> Iterator[_Phrase]:
    for low, high in pairwise(amounts):
        between = folded.endswith(_BETWEEN, 0, low.start)
        connector = _BETWEEN_CONNECTOR if between else _CONNECTOR
        if not connector.fullmatch(folded, low.end, high.start):
            continue
        if low.before.isalpha() and not between:  # "EUR 38-40" is a size of shoes
            continue
        after = _END_OF_RANGE.match(folded, high.end)
        price = Filter("price", at_least=min(low.value, high.value), at_most=max(low.value, high.value))
        start = low.start - len(_BETWEEN) if between else low.start
        yield _Phrase(start, after.end() if after else high.end, price, (low, high), bare=between)


def _bounds(folded: str, amounts: Sequence[_Money]) -> Iterator[_Phrase]:
    for money in amounts:
        if money.value == 0:
            continue
        start, kind = _bound_before(folded, money.start)
        if kind:
            yield _bound(kind, start, money.end, money)
        after = _BOUND_AFTER.match(folded, money.end)
        if after is not None:
            yield _bound(str(after.lastgroup), money.start, after.end(), money)


def _bound_before(folded: str, end: int) -> tuple[int, str]:
    """Where the longest word for a bound begins that ends at `end` or a few spaces before it, and its kind."""
    begin = max(0, end - _LONGEST_BEFORE)
    before = folded[begin:end].rstrip(" ")
    if before[-1:] in _BOUND_ENDINGS:
        for length in _BOUND_LENGTHS:
            kind = _BOUND_BEFORE.get(before[-length:])
            if kind is not None:
                return begin + len(before) - min(length, len(before)), kind
    return end, ""


def _bound(kind: str, start: int, end: int, money: _Money) -> _Phrase:
    at_most = kind.startswith("at_most")
    price = Filter("price", at_most=money.value) if at_most else Filter("price", at_least=money.value)
    return _Phrase(start, end, price, (money,), bare=not kind.endswith("named"))


def _read(folded: str, phrase: _Phrase, shared_signs: Mapping[str, Sequence[str]]) -> Found | None:
    start, end, last = phrase.start, phrase.end, phrase.money[-1]
    if not begins_a_word(folded, start) or (end == last.end and not last.after and goes_on(folded, end)):
        return None
    names = [name for money in phrase.money for name in (money.before, money.after) if name]
    currencies = currencies_named(names, shared_signs)
    if currencies is None:
        return None
    before = _PRICE_BEFORE.search(folded, max(0, start - _LONGEST_BEFORE), start)
    if not currencies and not (before and (before["priced"] or before["han"])) and not _means_price(folded, phrase):
        return None
    start = before.start() if before else start
    end += folded.startswith("的", end)
    return start, end, (phrase.price, Filter("currency", any_of=currencies)) if currencies else (phrase.price,)


def _means_price(folded: str, phrase: _Phrase) -> bool:
    """Whether a phrase that names neither a currency nor a price can hardly mean anything else."""
    if not phrase.bare or counts_something(folded, phrase.end):
        return False
    before = _AGE_OR_VERSION_BEFORE.search(folded, max(0, phrase.start - _LONGEST_BEFORE), phrase.start)
    if before is None:
        return True
    adult_price = phrase.price.at_most is not None and phrase.price.at_most >= _OF_AGE
    return adult_price and bool(before["people"] or before["children"])
