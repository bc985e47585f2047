"""A ranker that needs no history: a weighted sum of features, the weights set by hand."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import orjson

from ranking.rankers import Numbers, RankingInput


class HandSetRanker:
    """A feature that is not known adds nothing, and one without a weight neither."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._weights = dict(weights)
        content = orjson.dumps(self._weights, option=orjson.OPT_SORT_KEYS)
        self._release = f"hand-set@{blake2b(content, digest_size=4).hexdigest()}"

    @property
    def release(self) -> str:
        return self._release

    def score(self, candidates: RankingInput) -> Numbers:
        scores: Numbers = self._weighed(candidates).sum(axis=1)
        return scores

    def parts(self, candidates: RankingInput) -> dict[str, Numbers]:
        return dict(zip(candidates.names, self._weighed(candidates).T, strict=True))

    def _weighed(self, candidates: RankingInput) -> Numbers:
        weights = np.array([self._weights.get(name, 0.0) for name in candidates.names], np.float32)
        return np.where(np.isnan(candidates.values), np.float32(0.0), candidates.values) * weights
