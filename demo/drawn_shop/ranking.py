"""What the drawn shop tells its ranker beside what every shop does: patterns count, and tastes more than elsewhere."""

from collections.abc import Mapping, Sequence

from ranking.feature_settings import AffinityFeature, Feature

FEATURES: Sequence[Feature] = (AffinityFeature(name="pattern", field="pattern"),)
WEIGHTS: Mapping[str, float] = {"colour": 1.0, "pattern": 1.0, "brand": 0.5, "price_taste": 0.5}
