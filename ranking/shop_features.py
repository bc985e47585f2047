"""The features of a shop that declares none, and how the hand-set ranker weighs them."""

from collections.abc import Mapping, Sequence

from ranking.feature_settings import (
    AffinityFeature,
    ClosenessFeature,
    CoClickFeature,
    ContextFeature,
    Feature,
    HistoryFeature,
    ImpressionsFeature,
    LiftFeature,
    NumberFeature,
    PositionFeature,
    RateFeature,
    ScoreFeature,
    SeenFeature,
    SimilarityFeature,
)

SHOP_FEATURES: Sequence[Feature] = (
    ScoreFeature(name="score"),
    PositionFeature(name="position"),
    RateFeature(name="click_rate"),
    RateFeature(name="purchase_rate", action="purchase"),
    RateFeature(name="click_rate_of_query", of="query"),
    ContextFeature(name="daypart", of="daypart"),
    ContextFeature(name="place", of="place"),
    LiftFeature(name="lift"),
    ImpressionsFeature(name="impressions"),
    HistoryFeature(name="actions"),
    SeenFeature(name="seen"),
    AffinityFeature(name="brand_affinity", field="brand"),
    AffinityFeature(name="category_affinity", field="categories"),
    AffinityFeature(name="colour_affinity", field="colour"),
    ClosenessFeature(name="price_closeness", field="price", scale="log"),
    NumberFeature(name="price", field="price", scale="log"),
    NumberFeature(name="rating", field="rating"),
    AffinityFeature(name="category_affinity_now", field="categories", of="session", half_life_hours=1),
    SimilarityFeature(name="similarity"),
    CoClickFeature(name="co_clicks"),
)
# In units of the score of a search, where neighbours are about a hundredth apart; of rates by their log odds.
HAND_SET_WEIGHTS: Mapping[str, float] = {
    "score": 1.0,
    "position": -0.001,
    "click_rate": 0.01,
    "purchase_rate": 0.01,
    "click_rate_of_query": 0.02,
    "daypart": 0.05,
    "place": 0.05,
    "brand_affinity": 0.3,
    "category_affinity": 0.3,
    "colour_affinity": 0.3,
    "category_affinity_now": 0.1,
    "similarity": 0.1,
    "price_closeness": 0.05,
    "co_clicks": 0.02,
}
