"""What the drawn shop tells its ranker beside what every shop does: patterns count, and tastes more than elsewhere."""

from collections.abc import Mapping, Sequence

from ranking.feature_settings import AffinityFeature, Feature

FEATURES: Sequence[Feature] = (AffinityFeature(name="pattern_affinity", field="pattern"),)
WEIGHTS: Mapping[str, float] = {
    "colour_affinity": 1.0,
    "pattern_affinity": 1.0,
    "brand_affinity": 0.5,
    "price_closeness": 0.5,
}
