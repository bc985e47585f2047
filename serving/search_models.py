"""What GET and POST /v1/search take and answer."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ranking.fusion import Leg
from ranking.queries import MAX_DEPTH, QueryKind, Sort
from serving.filters import FilterInput, FilterParameters
from serving.search_notes import NoteCode
from serving.shoppers import AskerFields

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]
# Only the web: a client must not make the server open its own files.
ImageUrl = Annotated[str, StringConstraints(max_length=4_000, pattern=r"^https?://\S+$")]
Limit = Annotated[int, Field(ge=1, le=100)]
Offset = Annotated[int, Field(ge=0, lt=MAX_DEPTH)]
Language = Annotated[str, StringConstraints(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")]

# Each facet of a field with a filter is one more search.
Facets = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=300)]], Field(max_length=20)]
AsWords = Annotated[list[Text], Field(max_length=20)]

_SORT = "by relevance, price (`-price`: the dearest first), rating, or the time of the last change"
_FACETS = "fields whose values are counted over all matches, for instance brand or attributes.colour"
_INTERPRET = "make filters of phrases such as `under 50` or `四星以上`, correct misspelt words, and put brands first"
_AS_WORDS = "phrases to take as words, and words not to correct, as `understood` showed them"
_LANGUAGE = "BCP 47 tag of the text, for instance zh-Hans; it decides how words are reduced to their stems"
AVAILABLE = "only products that are in stock"
_EXPLAIN = "say for each result where each leg of the search placed it, and which words it has"


class SearchQuery(AskerFields):
    """A query by text, by picture (uploaded as base64, or by link), or by both."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    text: Text = Field(default="", examples=["red linen dress"])
    image_base64: str | None = Field(default=None, description="a JPEG, PNG, WebP, GIF, BMP or AVIF file in base64")
    image_url: ImageUrl | None = Field(default=None, description="where the picture can be fetched from")
    filters: list[FilterInput] = Field(default=[], max_length=50)
    limit: Limit = 10
    offset: Offset = Field(default=0, description=f"offset + limit is at most {MAX_DEPTH}")
    explain: bool = Field(default=False, description=_EXPLAIN)
    language: Language = Field(default="", description=_LANGUAGE)
    sort: Sort = Field(default=Sort.RELEVANCE, description=_SORT)
    facets: Facets = Field(default=[], description=_FACETS, examples=[["brand", "price"]])
    interpret: bool = Field(default=True, description=_INTERPRET)
    as_words: AsWords = Field(default=[], description=_AS_WORDS)

    @model_validator(mode="after")
    def _one_picture_at_most(self) -> Self:
        if self.image_base64 is not None and self.image_url is not None:
            raise ValueError("give image_base64 or image_url, not both")
        return self


class PageParameters(FilterParameters, AskerFields):
    """What a query string and a form have in common."""

    image_url: ImageUrl | None = Field(default=None, description="search by the picture behind this link")
    limit: Limit = 10
    offset: Offset = Field(default=0, description=f"offset + limit is at most {MAX_DEPTH}")
    explain: bool = Field(default=False, description=_EXPLAIN)
    language: Language = Field(default="", description=_LANGUAGE)
    sort: Sort = Field(default=Sort.RELEVANCE, description=_SORT)
    facet: Facets = Field(default=[], description=_FACETS, examples=[["brand", "price"]])
    interpret: bool = Field(default=True, description=_INTERPRET)
    as_words: AsWords = Field(default=[], description=_AS_WORDS)


class SearchParameters(PageParameters):
    """The query string of GET /v1/search."""

    q: Text = Field(default="", description="what is searched for", examples=["red linen dress under 60"])


class SearchForm(PageParameters):
    """The fields of a multipart form, beside the file `image`."""

    text: Text = ""


class LegExplanation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int | None = Field(description="1 is the best of this leg; null: not among those that it found")
    score: float | None = Field(description="cosine of the vectors, or BM25; null: not found")
    contribution: float = Field(description="part of the result's score; of one not found as of the last that was")
    terms: list[str] = Field(default=[], description="of keywords: the words of the query, as written, that it has")


class Reranking(BaseModel):
    """How a result came to its place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float = Field(description="the ranker's: only the order within one answer has a meaning")
    from_position: int = Field(description="its place before, counted from 1")
    parts: dict[str, float] = Field(description="each known feature's part in the score")


Behind = Annotated[
    Literal["preorder", "backorder", "out_of_stock", "discontinued"] | None,
    Field(
        description="its availability, which puts it behind all others whatever its score; where `explain` was asked"
    ),
]


class SearchResult(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    position: int = Field(description="1 is the best, counted over all pages")
    score: float
    product: dict[str, Any] = Field(description="as the index holds it; `file:` pictures as /media addresses")
    explanation: dict[Leg, LegExplanation] | None = Field(default=None, description="only where `explain` was asked")
    reranking: Reranking | None = Field(
        default=None, description="where `explain` was asked, of results that were put in order for the shopper"
    )
    behind: Behind = None


class MatchTotal(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    matches: int
    exact: bool = Field(description="false: there may be more; add words or filters to see them")


class FacetValueCount(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    value: str | bool | float
    count: int = Field(description="matches that have it, with all filters but those on this field")


class FacetCounts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    values: list[FacetValueCount] = Field(description="the 50 most frequent, the most frequent first; of numbers none")
    exact: bool = Field(description="false: the counts are the least they can be")
    lowest: float | None = Field(description="of a number: the least among the matches")
    highest: float | None = Field(description="of a number: the greatest among the matches")


class PhraseFilter(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="as written; repeat it in `as_words` to take it as words")
    filters: list[FilterInput]


class WordCorrection(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="a word that no product has, as written; repeat it in `as_words` to search for it")
    replacement: str = Field(description="the word that was searched for in its place")


class Understood(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="the words that were searched for")
    language: str = Field(description="BCP 47 tag: as given, else by the script")
    phrases: list[PhraseFilter] = Field(description="parts of the query that became filters")
    corrections: list[WordCorrection] = Field(description="words that were taken for misspelt")
    brands: list[str] = Field(description="brands that the query names: their products come before like ones")


class SearchResponse(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    query_id: str = Field(description="names this answer in later events")
    kind: QueryKind
    results: list[SearchResult]
    total: MatchTotal
    nearest: bool = Field(description="nothing matches: the results are what comes nearest")
    facets: list[FacetCounts] = Field(description="in the order asked for")
    understood: Understood
    notes: list[str] = Field(description="what was left out of the search, and why; which filters exclude each other")
    note_codes: list[NoteCode] = Field(
        description="of each note, in the same order: for a page to say in its own words"
    )
    took_ms: float
    steps_ms: dict[str, float] | None = Field(default=None, description="only where `explain` was asked")


class TrendingParameters(FilterParameters, AskerFields):
    """The query string of GET /v1/trending."""

    limit: Limit = 10
    explain: bool = Field(default=False, description="say what each kind of action counts for")
    available: bool = Field(default=True, description=f"{AVAILABLE}; left out where a filter names an availability")


class TrendingResult(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    position: int
    score: float = Field(description="the actions' weights, each faded by half within the half-life; their sum")
    product: dict[str, Any] = Field(description="as the index holds it; `file:` pictures as /media addresses")
    actions: dict[str, float] | None = Field(
        default=None, description="the part of each action in the score, only where `explain` was asked"
    )


class TrendingResponse(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    query_id: str = Field(description="names this answer in later events")
    results: list[TrendingResult] = Field(description="empty where nothing was clicked or bought of late")
    notes: list[str] = Field(description="which filters exclude each other")
    took_ms: float


class SimilarParameters(AskerFields):
    """The query string of GET /v1/products/{product_id}/similar."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Limit = 10
    explain: bool = Field(default=False, description=_EXPLAIN)
    available: bool = Field(default=True, description=AVAILABLE)


class SimilarResponse(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    query_id: str = Field(description="names this answer in later events")
    product: dict[str, Any] = Field(description="the one that the results are like")
    results: list[SearchResult]
    took_ms: float
