"""Gradient-boosted trees that were trained to rank: LambdaMART (Burges, 2010) by LightGBM."""

import lightgbm as lgb
import numpy as np

from ranking.rankers import Numbers, RankingInput
from ranking.tree_traversal import NotTraversable, TreeTraversal


class TreeRanker:
    """`model` is LightGBM's own text form; its features are those of the input, in their order."""

    def __init__(self, model: str, release: str) -> None:
        """Raises lightgbm.basic.LightGBMError for what is no model."""
        self._booster = lgb.Booster(model_str=model)
        self._traversal = _traversal(self._booster)
        self._release = release

    @property
    def release(self) -> str:
        return self._release

    @property
    def features(self) -> int:
        """How many it takes."""
        return int(self._booster.num_feature())

    def score(self, candidates: RankingInput) -> Numbers:
        if not candidates.candidates:
            return np.zeros(0, np.float32)
        if self._traversal is not None:
            return self._traversal.scores(candidates.values).astype(np.float32)
        return np.asarray(self._booster.predict(candidates.values, num_threads=1), np.float32)

    def parts(self, candidates: RankingInput) -> dict[str, Numbers]:
        """By TreeSHAP (Lundberg and others, 2018); what is the same for every candidate is left out."""
        if not candidates.candidates:
            return {name: np.zeros(0, np.float32) for name in candidates.names}
        parts = np.asarray(self._booster.predict(candidates.values, num_threads=1, pred_contrib=True), np.float32)
        return dict(zip(candidates.names, parts[:, :-1].T, strict=True))


def _traversal(booster: lgb.Booster) -> TreeTraversal | None:
    """None where LightGBM itself has to walk the trees."""
    try:
        return TreeTraversal(booster.dump_model())
    except NotTraversable:
        return None
