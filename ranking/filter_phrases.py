"""Phrases of a query that are filters rather than words: price, rating and availability, in English and Chinese."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from index.base import Filter
from ranking.phrase_text import fold, hide, without
from ranking.price_phrases import Found, price_phrases
from ranking.rating_phrases import availability_phrases, rating_phrases


@dataclass(frozen=True, slots=True)
class FilterPhrase:
    """`text` as written, from `start` to `end` of the query, and the filters that it stands for."""

    text: str
    start: int
    end: int
    filters: tuple[Filter, ...]


def take_phrases(
    text: str, shared_signs: Mapping[str, Sequence[str]], as_words: Collection[str] = ()
) -> tuple[tuple[FilterPhrase, ...], str]:
    """The phrases in the order of the text, apart from each other, and the rest, which holds no further one.

    `shared_signs` says which currencies the signs $ and ¥ stand for. `as_words`: phrases that the shopper took off.
    """
    kept_words = {fold(words).strip() for words in as_words}
    spans = _find(fold(text), shared_signs, kept_words)
    if not spans:
        return (), text
    rest = without(text, spans, " ")
    if _find(fold(rest), shared_signs, kept_words):
        spans = _find_again(fold(text), spans, shared_signs, kept_words)
        rest = without(text, spans, ", ")
    return tuple(FilterPhrase(text[start:end], start, end, filters) for start, end, filters in spans), rest


def _find_again(
    folded: str, spans: list[Found], shared_signs: Mapping[str, Sequence[str]], kept_words: Collection[str]
) -> list[Found]:
    """What stands beside a phrase may have kept another from being one: "under 50 min 20 eur"."""
    found = spans
    while found:
        for start, end, _ in found:
            folded = hide(folded, start, end)
        found = _find(folded, shared_signs, kept_words)
        spans = sorted([*spans, *found], key=lambda span: span[0])
    return spans


def _find(folded: str, shared_signs: Mapping[str, Sequence[str]], kept_words: Collection[str]) -> list[Found]:
    """The first and longest of those that overlap."""
    candidates = chain(price_phrases(folded, shared_signs), rating_phrases(folded), availability_phrases(folded))
    chosen: list[Found] = []
    taken = 0
    for start, end, filters in sorted(candidates, key=lambda found: (found[0], -found[1])):
        if start >= taken:
            taken = end
            if folded[start:end] not in kept_words:
                chosen.append((start, end, filters))
    return chosen
