"""How search weighs what its legs find."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ranking.attribute_words import AttributeWords
from ranking.fusion import Leg
from ranking.recommendation_settings import RecommendationSettings
from ranking.reranking_settings import RerankingSettings
from ranking.standard_attributes import STANDARD_ATTRIBUTES

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


_OUTWEIGHS = 2.0
_BRAND = 0.2


class LegWeights(BaseModel):
    """The part of each leg in the fused score.

    Only ratios count. A leg of weight 0 is not asked; one that finds nothing leaves its part to the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: float = Field(default=0.0, ge=0, le=1_000, description="query text to product text, by vector")
    keywords: float = Field(default=0.0, ge=0, le=1_000, description="query words to product words, by BM25")
    image: float = Field(default=0.0, ge=0, le=1_000, description="query picture or text to product picture")

    @model_validator(mode="after")
    def _some_leg_counts(self) -> Self:
        if self.text + self.keywords + self.image == 0:
            raise ValueError("all weights are 0: give at least one leg a weight")
        return self

    def by_leg(self) -> dict[Leg, float]:
        """The leg of article numbers outweighs the others together: who names one wants that product first.

        That of brands lifts the brand's products above like ones, not above those that fit better: decision 21.
        """
        shares = {Leg.TEXT: self.text, Leg.KEYWORDS: self.keywords, Leg.IMAGE: self.image}
        whole = sum(shares.values())
        return shares | {Leg.IDENTIFIERS: _OUTWEIGHS * whole, Leg.BRANDS: _BRAND * whole}


class UnderstandingSettings(BaseModel):
    """How the words of a query are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: tuple[LanguageTag, ...] = Field(
        default=("en", "zh"),
        min_length=1,
        description="languages of the shop, the first of a script before others of the same script",
    )
    dollar_sign: tuple[CurrencyCode, ...] = Field(
        default=("USD",), min_length=1, description="currencies that $ and dollars mean in a query"
    )
    yen_sign: tuple[CurrencyCode, ...] = Field(
        default=("CNY", "JPY"), min_length=1, description="currencies that ¥ means in a query"
    )


_Names = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(min_length=1)]


class CompositionSettings(BaseModel):
    """How words change the picture that is searched by: "this, but red"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exchange_weight: float = Field(
        default=1.25,
        ge=0,
        le=100,
        description="how far the picture's vector moves from the value that it has to the one that is named; 0: not",
    )
    words_weight: float = Field(
        default=2.0, ge=0, le=100, description="of words that name no known value, where the picture counts 1"
    )
    attributes: dict[str, tuple[_Names, ...]] = Field(
        default={},
        description="values beside the standard colours, patterns, materials and kinds, or instead of those of the "
        'same attribute, each with all its names: {heel = [["flat", "平底"], ["high heel", "高跟"]]}',
    )

    @model_validator(mode="after")
    def _each_name_has_one_value(self) -> Self:
        AttributeWords({**STANDARD_ATTRIBUTES, **self.attributes})
        return self


class AvailabilityRules(BaseModel):
    """Where products stand that are not in stock.

    What is `hidden` is shown to whoever filters by availability. `last` is after the other candidates (a setting above
    says how many), where relevance decides the order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preorder: Literal["shown", "last", "hidden"] = "shown"
    backorder: Literal["shown", "last", "hidden"] = "shown"
    out_of_stock: Literal["shown", "last", "hidden"] = "last"
    discontinued: Literal["shown", "last", "hidden"] = "last"


class TrendingSettings(BaseModel):
    """What counts as attention, and how fast it fades."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    half_life_hours: float = Field(
        default=24.0, ge=0.01, le=10_000, description="after which an action counts half, by its own time"
    )
    action_weights: dict[str, Annotated[float, Field(ge=0, le=1_000)]] = Field(
        default={"click": 1.0, "add_to_cart": 3.0, "purchase": 5.0},
        description="what one action of each UBI action_name counts; others count nothing",
    )


class RankingSettings(BaseModel):
    """How many candidates are retrieved and how their scores become one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidates: int = Field(default=100, ge=1, le=1_000, description="how many products each leg brings")
    fusion: Literal["weighted", "rrf"] = Field(
        default="weighted",
        description="weighted: cosines, and places among the keyword hits; rrf: weight / (k + rank)",
    )
    keyword_places: int = Field(
        default=75,
        ge=1,
        le=1_000,
        description="how many of the first keyword hits count; each less than the one before",
    )
    rrf_k: int = Field(default=60, ge=1, le=10_000, description="k of reciprocal rank fusion (Cormack et al. 2009)")
    text_query: LegWeights = Field(default=LegWeights(text=0.85, keywords=0.15, image=0.5))
    picture_query: LegWeights = Field(default=LegWeights(image=1.0))
    text_and_picture_query: LegWeights = Field(default=LegWeights(text=0.2, image=0.8))
    composition: CompositionSettings = CompositionSettings()
    similar_products: LegWeights = Field(
        default=LegWeights(text=0.5, image=0.5), description="product to product; there are no keywords to look up"
    )
    sorted_candidates: int = Field(
        default=300, ge=1, le=1_000, description="among how many of each leg the cheapest or newest are looked for"
    )
    text_floor: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="least cosine of a text query and a product's text that makes a match, where no word does; left "
        "out: what was measured of the models that come with Millrace, none for others",
    )
    image_floor: float | None = Field(
        default=None, ge=-1, le=1, description="the same of a text query and a product's picture"
    )
    availability: AvailabilityRules = AvailabilityRules()
    trending: TrendingSettings = TrendingSettings()
    reranking: RerankingSettings = RerankingSettings()
    recommendations: RecommendationSettings = RecommendationSettings()
    understanding: UnderstandingSettings = UnderstandingSettings()
    default_language: LanguageTag = Field(
        default="en",
        description="BCP 47 tag of queries that name no language; it decides the stemmer",
    )
