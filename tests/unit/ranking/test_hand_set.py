"""The weighted sum of features."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranking.hand_set import HandSetRanker
from ranking.rankers import Candidate, RankingInput


@given(st.integers(0, 2**32), st.integers(2, 60), st.integers(1, 24))
def test_equal_candidates_have_one_score_and_so_stay_as_they_came(seed: int, number: int, features: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"feature {place}" for place in range(features)]
    one = rng.normal(size=(1, features)).astype(np.float32)
    none = np.zeros((number, 0), np.float32)
    candidates = [Candidate(f"p{place}", place) for place in range(1, number + 1)]
    seen = RankingInput(candidates, names, one.repeat(number, axis=0), none, none[:0], np.zeros(0, np.float32))
    ranker = HandSetRanker(dict(zip(names, rng.normal(size=features).tolist(), strict=True)))

    assert len(set(ranker.score(seen).tolist())) == 1
