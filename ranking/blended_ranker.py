"""Several rankers as one: the mean of their scores, each standardized over the list."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ranking.rankers import Numbers, Ranker, RankingInput, deviation, standardized


class BlendedRanker:
    """A Ranker. There must be at least one."""

    def __init__(self, rankers: Sequence[Ranker]) -> None:
        self._rankers = rankers

    @property
    def release(self) -> str:
        return "+".join(ranker.release for ranker in self._rankers)

    def score(self, candidates: RankingInput) -> Numbers:
        scores: Numbers = np.mean([standardized(ranker.score(candidates)) for ranker in self._rankers], axis=0)
        return scores

    def parts(self, candidates: RankingInput) -> dict[str, Numbers]:
        sums: defaultdict[str, Numbers] = defaultdict(lambda: np.zeros(len(candidates.candidates), np.float32))
        for ranker in self._rankers:
            spread = deviation(ranker.score(candidates)) * len(self._rankers)
            for name, part in ranker.parts(candidates).items():
                sums[name] = sums[name] + part / spread
        return dict(sums)
