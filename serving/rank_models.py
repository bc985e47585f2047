"""What POST /v1/rank takes and answers."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from serving.search_models import Behind, Language, Text
from serving.shoppers import AskerFields
from topics.events import ProductId

MOST_CANDIDATES = 1_000


class RankCandidate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    product_id: ProductId
    score: Annotated[float, Field(ge=-1e9, le=1e9)] | None = Field(
        default=None, description="as the engine that found it gave it; left out: its place alone counts"
    )


class RankQuery(AskerFields):
    """Products that another engine found, in its order. Those that Millrace does not know are ranked all the same."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    candidates: list[RankCandidate] = Field(min_length=1, max_length=MOST_CANDIDATES)
    text: Text = Field(default="", description="what was searched for", examples=["red linen dress"])
    language: Language = Field(default="", description="BCP 47 tag of the text")
    limit: Annotated[int, Field(ge=1, le=MOST_CANDIDATES)] | None = Field(
        default=None, description="how many are shown, and answered; left out: all"
    )
    explain: bool = Field(default=False, description="say each feature's part in the score")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        places: dict[str, int] = {}
        for place, one in enumerate(self.candidates):
            if (first := places.setdefault(one.product_id, place)) != place:
                raise ValueError(
                    f"product {one.product_id[:80]!r} is among the candidates twice: at {first} and {place}"
                )
        return self


class RankedResult(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    product_id: str
    position: int = Field(description="from 1 on")
    from_position: int = Field(description="its place among the candidates")
    score: float = Field(description="the ranker's: only the order within one answer has a meaning")
    parts: dict[str, float] | None = Field(
        default=None, description="each known feature's part in the score, where `explain` was asked"
    )
    behind: Behind = None


class LeftOutProduct(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    product_id: str
    reason: Literal["bought", "hidden", "preorder", "backorder", "out_of_stock", "discontinued"]


class RankResponse(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    query_id: str = Field(description="names this answer in later events")
    results: list[RankedResult]
    left_out: list[LeftOutProduct] = Field(description="candidates that this shopper is not shown, and why")
    ranker: str = Field(description="the release of the model that put them in order")
    notes: list[str] = Field(description="why they are as they came, where they are")
    took_ms: float
