"""What is asked of search, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from PIL.Image import Image

from index.base import Filter
from ranking.fusion import Leg, LegHit

MAX_DEPTH = 1_000


class RankingError(Exception):
    """Root of what this package raises."""


class InvalidQueryError(RankingError, ValueError):
    """The request asks for nothing, or for more than search gives; the message says what to change."""


class QueryKind(StrEnum):
    TEXT = "text"
    PICTURE = "picture"
    TEXT_AND_PICTURE = "text_and_picture"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Text, a picture, or both; `language` is the text's BCP 47 tag, empty where unknown."""

    text: str = ""
    image: Image | None = None
    filters: Sequence[Filter] = ()
    limit: int = 10
    offset: int = 0
    language: str = ""

    def __post_init__(self) -> None:
        if not self.text.strip() and self.image is None:
            raise InvalidQueryError("a query needs text, a picture, or both")
        if self.limit < 1 or self.offset < 0 or self.offset + self.limit > MAX_DEPTH:
            raise InvalidQueryError(f"limit is at least 1, offset at least 0, and their sum at most {MAX_DEPTH}")

    @property
    def kind(self) -> QueryKind:
        if self.image is None:
            return QueryKind.TEXT
        return QueryKind.TEXT_AND_PICTURE if self.text.strip() else QueryKind.PICTURE


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One result. `position` counts from 1 over all pages; `score` is the fused one, `legs` what it is the sum of."""

    position: int
    product_id: str
    score: float
    document: Mapping[str, Any]
    legs: Mapping[Leg, LegHit]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """One page of results, best first.

    `left_out` says why a leg was not asked; `seconds` is the time of each step.
    """

    kind: QueryKind
    hits: Sequence[SearchHit]
    left_out: Mapping[Leg, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
