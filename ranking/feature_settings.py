"""The features that a ranker sees, as the settings declare them: a name, where it comes from, how it fades."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FeatureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
HalfLifeHours = Annotated[float, Field(gt=0, le=87_600)]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: FeatureName


class ScoreFeature(_Declared):
    """The score of the search, or of the engine, that found the candidate."""

    source: Literal["score"] = "score"


class PositionFeature(_Declared):
    """The place that the candidate had among all of them, from 1."""

    source: Literal["position"] = "position"


class NumberFeature(_Declared):
    """A number that the product has: price, rating, or a numeric attribute."""

    source: Literal["number"] = "number"
    field: FieldName
    scale: Literal["linear", "log"] = "linear"


class RateFeature(_Declared):
    """How often the product is acted upon where it is seen, as log odds, smoothed towards the shop's whole rate.

    `of`: in all lists, or in lists of the same query. `half_life_hours` is one of `profiles.half_lives_hours`; left
    out, nothing fades.
    """

    source: Literal["rate"] = "rate"
    action: Literal["click", "add_to_cart", "purchase"] = "click"
    of: Literal["product", "query"] = "product"
    half_life_hours: HalfLifeHours | None = None


class ContextFeature(_Declared):
    """How much more the product is acted upon at the shopper's time of day, or place, than its own rate and that of the
    whole shop there let expect, as log odds; 0 where the time, the place, or the product there is not known.

    `of`: a quarter of the day from midnight on, or a place.
    """

    source: Literal["context"] = "context"
    of: Literal["daypart", "place"]
    action: Literal["click", "add_to_cart", "purchase"] = "click"


class LiftFeature(_Declared):
    """Clicks beyond those that anybody's products would have had in the same lists, for each impression.

    Unlike a rate it says the same of a product whether those who saw it click on much or on little.
    """

    source: Literal["lift"] = "lift"
    half_life_hours: HalfLifeHours | None = None


class ImpressionsFeature(_Declared):
    """How often the product has been seen, as a logarithm: how much its rates are worth."""

    source: Literal["impressions"] = "impressions"
    half_life_hours: HalfLifeHours | None = None


class HistoryFeature(_Declared):
    """How much is known of the shopper: the number of products acted upon lately, as a logarithm.

    It is the same for all candidates of a list, and tells a ranker how far to trust the others.
    """

    source: Literal["history"] = "history"


class SeenFeature(_Declared):
    """What the shopper did with this very product before: above 0 acted upon, below 0 passed over."""

    source: Literal["seen"] = "seen"
    half_life_hours: HalfLifeHours = 720.0


class AffinityFeature(_Declared):
    """The shopper's taste for the product's values of a field, such as its brand, categories, or an attribute.

    By surprise, what was acted upon counts for a value and what was passed over against it, each as far as the
    product's own rate did not let expect it; by actions, the share of all that was acted upon counts. `of`: all that
    is remembered, or the session that goes on.
    """

    source: Literal["affinity"] = "affinity"
    field: FieldName
    of: Literal["shopper", "session"] = "shopper"
    learns_from: Literal["surprise", "actions"] = "surprise"
    half_life_hours: HalfLifeHours = 720.0


class ClosenessFeature(_Declared):
    """The shopper's taste for more or less of a number, such as the price, times how much of it the product has."""

    source: Literal["closeness"] = "closeness"
    field: FieldName
    scale: Literal["linear", "log"] = "linear"
    half_life_hours: HalfLifeHours = 720.0


class SimilarityFeature(_Declared):
    """How like the product is, by its vector, to what the shopper acted upon rather than passed over."""

    source: Literal["similarity"] = "similarity"
    half_life_hours: HalfLifeHours = 720.0


class CoClickFeature(_Declared):
    """How often the product is acted upon in sessions in which what the shopper just acted upon is, too."""

    source: Literal["co_click"] = "co_click"


Feature: TypeAlias = Annotated[
    ScoreFeature
    | PositionFeature
    | NumberFeature
    | RateFeature
    | ContextFeature
    | LiftFeature
    | ImpressionsFeature
    | HistoryFeature
    | SeenFeature
    | AffinityFeature
    | ClosenessFeature
    | SimilarityFeature
    | CoClickFeature,
    Field(discriminator="source"),
]
