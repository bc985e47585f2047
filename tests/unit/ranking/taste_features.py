"""What a shopper likes, as features that a test sets itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ranking.rankers import Candidate, RankingInput, Situation

DECLARED = [
    {"name": "score", "source": "score"},
    {"name": "position", "source": "position"},
    {"name": "taste", "source": "affinity", "field": "brand"},
]


@dataclass
class TasteFeatures:
    """A FeatureSource: the score and the place of the search, and how much the shopper likes a product, if known."""

    likes: Mapping[str, float] = field(default_factory=dict)
    vectors: Mapping[str, Sequence[float]] = field(default_factory=dict)
    recent: Sequence[Sequence[float]] = ()
    bought: Collection[str] = frozenset()
    hidden: Collection[str] = frozenset()
    asked: list[Situation] = field(default_factory=list)

    def input(self, situation: Situation, candidates: Sequence[Candidate]) -> RankingInput:
        self.asked.append(situation)
        values = [
            (np.nan if one.score is None else one.score, one.position, self.likes.get(one.product_id, np.nan))
            for one in candidates
        ]
        return RankingInput(
            candidates=candidates,
            names=("score", "position", "taste"),
            values=np.array(values, np.float32).reshape(-1, 3),
            vectors=np.array([self.vectors.get(one.product_id, (0.0, 0.0)) for one in candidates], np.float32),
            recent=np.array(self.recent, np.float32).reshape(-1, 2),
            recent_weights=np.ones(len(self.recent), np.float32),
            bought=self.bought,
            hidden=self.hidden,
        )
