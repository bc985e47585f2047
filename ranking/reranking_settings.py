"""How lists are put in order for one shopper."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ranking.feature_settings import Feature
from ranking.shop_features import HAND_SET_WEIGHTS, SHOP_FEATURES


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
    features: Annotated[tuple[Feature, ...], Field(min_length=1)] = Field(
        default=tuple(SHOP_FEATURES),
        description="what rankers see of each candidate: a name, the source that it is computed from, and how that "
        "fades; the same at serving, in a replay and in training. docs/ranking.md lists the sources",
    )
    weights: dict[str, Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]] = Field(
        default=dict(HAND_SET_WEIGHTS),
        description="of the hand-set ranker, by the feature's name; one without a weight adds nothing",
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

    @field_validator("features")
    @classmethod
    def _each_has_its_name(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        if len({feature.name for feature in features}) < len(features):
            raise ValueError("two features have one name")
        return features
