"""What is asked of search, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from PIL.Image import Image

from index.base import Filter, IndexRefused
from index.filters import check_field
from ranking.facets import Facet
from ranking.fusion import Leg, LegHit
from ranking.query_understanding import UnderstoodQuery
from ranking.reranking import RankedProduct

MAX_DEPTH = 1_000


class RankingError(Exception):
    """Root of what this package raises."""


class InvalidQueryError(RankingError, ValueError):
    """The request asks for nothing, or for more than search gives; the message says what to change."""


class Sort(StrEnum):
    """In which order the matches are shown. Products without the value come last, equal ones by relevance."""

    RELEVANCE = "relevance"
    PRICE_ASCENDING = "price"
    PRICE_DESCENDING = "-price"
    RATING = "-rating"
    NEWEST = "-updated_at"


class QueryKind(StrEnum):
    TEXT = "text"
    PICTURE = "picture"
    TEXT_AND_PICTURE = "text_and_picture"


@dataclass(frozen=True, slots=True)
class Visit:
    """For whom a list is made, and when: `at` is seconds since 1970. `shopper` and `session` may be empty.

    `explain`: each feature's part in the order is asked for. `is_shown`: the shopper sees the list.
    """

    query_id: str
    at: float
    shopper: str = ""
    session: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    explain: bool = False
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Text, a picture, or both; `language` is the text's BCP 47 tag, empty where unknown.

    `facets` names fields, as filters do, whose values are counted over all matches. Phrases of the text such as "under
    50" become filters, where `interpret` is true, except those that `as_words` names. Without a `visit` nobody is shown
    the answer: it is that of the search alone.
    """

    text: str = ""
    image: Image | None = None
    filters: Sequence[Filter] = ()
    limit: int = 10
    offset: int = 0
    language: str = ""
    sort: Sort = Sort.RELEVANCE
    facets: Sequence[str] = ()
    interpret: bool = True
    as_words: Sequence[str] = ()
    visit: Visit | None = None

    def __post_init__(self) -> None:
        if not self.text.strip() and self.image is None:
            raise InvalidQueryError("a query needs text, a picture, or both")
        for name in self.facets:
            try:
                check_field(name)
            except IndexRefused as refusal:
                raise InvalidQueryError(str(refusal)) from None
        if self.limit < 1 or self.offset < 0 or self.offset + self.limit > MAX_DEPTH:
            raise InvalidQueryError(f"limit is at least 1, offset at least 0, and their sum at most {MAX_DEPTH}")

    @property
    def kind(self) -> QueryKind:
        if self.image is None:
            return QueryKind.TEXT
        return QueryKind.TEXT_AND_PICTURE if self.text.strip() else QueryKind.PICTURE


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One result. `position` counts from 1 over all pages; `score` is the fused one, `legs` what it is the sum of.

    `terms`: the words of the query, as written, that the product has; where an explanation was asked for. `ranked`: how
    it came to its place where the list was put in order for a shopper. `behind`: as a RankedProduct has it.
    """

    position: int
    product_id: str
    score: float
    document: Mapping[str, Any]
    legs: Mapping[Leg, LegHit]
    terms: Sequence[str] = ()
    ranked: RankedProduct | None = None
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """How many products match; at least so many where `exact` is false, since a leg gave all that it was asked for."""

    matches: int
    exact: bool


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """One page of results, in the order that was asked for.

    `text` is what was looked up in the end; `understood` is how the request's text was read; `contradictions` says
    which filters can never hold together. `nearest`: nothing matches, the hits are what comes nearest. `left_out` says
    why a leg was not asked; `notes` what else went otherwise; `seconds` is the time of each step.
    """

    kind: QueryKind
    text: str
    hits: Sequence[SearchHit]
    total: Total
    understood: UnderstoodQuery
    contradictions: Sequence[str] = ()
    nearest: bool = False
    facets: Sequence[Facet] = ()
    left_out: Mapping[Leg, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
