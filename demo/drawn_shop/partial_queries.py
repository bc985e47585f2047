"""Queries that name only a part of a look, as most shoppers do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from demo.drawn_shop.captions import CHINESE_COLOURS, CHINESE_KINDS, CHINESE_PATTERNS, Language
from demo.drawn_shop.looks import COLOURS, KINDS, PATTERNS


@dataclass(frozen=True, slots=True)
class PartialQuery:
    """A text, and what a right result has: positions in KINDS, COLOURS and PATTERNS, or ANY."""

    ANY: ClassVar[int] = -1

    text: str
    attributes: tuple[int, int, int]


def kinds_alone(language: Language) -> list[PartialQuery]:
    return [
        PartialQuery(
            kind if language == "en" else CHINESE_KINDS[kind][0], (position, PartialQuery.ANY, PartialQuery.ANY)
        )
        for position, kind in enumerate(KINDS)
    ]


def colours_and_kinds(language: Language) -> list[PartialQuery]:
    return [
        PartialQuery(
            f"{colour} {kind}" if language == "en" else CHINESE_COLOURS[colour][0] + CHINESE_KINDS[kind][0],
            (KINDS.index(kind), COLOURS.index(colour), PartialQuery.ANY),
        )
        for kind in KINDS
        for colour in COLOURS
    ]


def patterns_and_kinds(language: Language) -> list[PartialQuery]:
    return [
        PartialQuery(
            f"{pattern} {kind}" if language == "en" else CHINESE_PATTERNS[pattern][0] + CHINESE_KINDS[kind][0],
            (KINDS.index(kind), PartialQuery.ANY, PATTERNS.index(pattern)),
        )
        for kind in KINDS
        for pattern in PATTERNS
    ]


PARTIAL_QUERIES: Mapping[str, Callable[[Language], Sequence[PartialQuery]]] = {
    "kind": kinds_alone,
    "colour_and_kind": colours_and_kinds,
    "pattern_and_kind": patterns_and_kinds,
}
