"""What the routes below /v1/users take and answer."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from serving.filters import FilterParameters
from serving.search_models import AVAILABLE, Behind, Limit, Reranking
from serving.shoppers import VisitFields

UserPath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    Path(description="the `user_id` or `client_id` of queries and events", examples=["ada"]),
]
Source = Literal["taste", "co_clicks", "context", "trending", "newest"]


class RecommendationParameters(FilterParameters, VisitFields):
    """The query string of GET /v1/users/{user_id}/recommendations."""

    limit: Limit = 10
    explain: bool = Field(default=False, description="say where each product came from, and each feature's part")
    personal: bool = Field(
        default=False,
        description="answer nothing, and publish nothing, to whom nothing can be recommended for what they did: for a "
        "page that would not show it",
    )
    available: bool = Field(default=True, description=f"{AVAILABLE}; left out where a filter names an availability")


class RecommendedProduct(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    position: int
    score: float = Field(description="the ranker's: only the order within one answer has a meaning")
    product: dict[str, Any] = Field(description="as the index holds it; `file:` pictures as /media addresses")
    sources: dict[Source, int] | None = Field(
        default=None, description="its place in the list of each source that found it, where `explain` was asked"
    )
    reranking: Reranking | None = Field(default=None, description="only where `explain` was asked")
    behind: Behind = None


class RecommendationsResponse(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    query_id: str = Field(description="names this answer in later events")
    results: list[RecommendedProduct]
    notes: list[str] = Field(description="what could not be asked, and why")
    took_ms: float


class Erased(BaseModel):
    """The broker holds the erasure: whatever keeps something of the person hears of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    removed: dict[str, int] | None = Field(
        description="states of the profile store that held something of the person, by kind; null: it does not answer"
    )
    found_afterwards: dict[str, int] | None = Field(description="the same, looked for again")
    follows: list[str] = Field(description="what the click loop takes out when it hears of it")
