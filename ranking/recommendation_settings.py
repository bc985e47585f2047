"""Where recommendations for a shopper come from."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(ge=0, le=1_000)]


class SourceWeights(BaseModel):
    """How much a place in each source's list counts, as in reciprocal rank fusion; 0: the source is not asked.

    Only ratios count, and products of a source without a weight are found by the others alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    taste: Weight = Field(default=1.0, description="like those that the shopper turned to, by text and picture")
    co_clicks: Weight = Field(default=1.0, description="products that others turned to in the same session as those")
    context: Weight = Field(default=0.3, description="what is chosen most at this time of day, and at this place")
    trending: Weight = Field(default=0.3, description="what all shoppers turn to now")
    newest: Weight = Field(default=0.01, description="what came last: it fills the list where nothing else does")


class RecommendationSettings(BaseModel):
    """Candidates are put in order as a search's are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: SourceWeights = SourceWeights()
    recent_products: int = Field(
        default=10, ge=1, le=100, description="how many of those that the shopper turned to last say what is looked for"
    )
    candidates: int = Field(default=100, ge=1, le=1_000, description="how many products each source brings")
