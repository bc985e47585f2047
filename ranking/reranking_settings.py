"""How lists are put in order for one shopper."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class ExplorationSettings(BaseModel):
    """Lists whose first places are drawn by lot, so that later rankers learn what those places alone are worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(default=0.0, ge=0, le=1, description="of all lists that are drawn; 0: none")
    places: int = Field(
        default=5, ge=2, le=100, description="how many of the first places change theirs, as likely each"
    )


class RerankingSettings(BaseModel):
    """What becomes of the candidates of a search, a recommendation, or another engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_search: bool = Field(default=True, description="searches by relevance are re-ranked, too")
    depth: int = Field(default=100, ge=1, le=1_000, description="how many of a search's best are re-ranked")
    ranker: Path | None = Field(
        default=None,
        description="folder of a ranker that `millrace train ranker` made; left out: the hand-set one, by its weights",
    )
    weights: dict[str, Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]] = Field(
        default={
            "score": 1.0,
            "position": -0.001,
            "click_rate": 0.02,
            "purchase_rate": 0.02,
            "lift": 0.1,
            "brand_affinity": 0.2,
            "category_affinity": 0.2,
            "category_affinity_now": 0.1,
            "price_closeness": 0.02,
            "similarity": 0.1,
            "co_clicks": 0.02,
        },
        description="of the hand-set ranker, by feature; one that is not known adds nothing",
    )
    diversity: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="lambda of maximal marginal relevance: 1: relevance alone; 0: unlikeness alone",
    )
    bought: Literal["shown", "hidden"] = Field(
        default="hidden", description="products that the shopper has bought; what the shopper hid is never shown"
    )
    exploration: ExplorationSettings = ExplorationSettings()
