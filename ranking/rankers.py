"""What puts candidates in order for one shopper."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]

LEAST_DEVIATION = 1e-4  # less is rounding


class RankerFolderError(Exception):
    """A folder that cannot take a ranker; the message says what to do."""


class RankerUnusable(Exception):
    """A folder holds no ranker that can serve here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Who asks, when, and for what: all that features know beside what is kept. `at` is seconds since 1970."""

    at: float
    shopper: str = ""
    session: str = ""
    text: str = ""
    kind: str = ""
    language: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that may be shown. `position`, from 1, and `score` are those of the search that found it."""

    product_id: str
    position: int
    score: float | None = None


@dataclass(frozen=True, slots=True)
class RankingInput:
    """What a ranker sees, and nothing else: the same at serving, in a replay and in training.

    `values`: candidates x features, NaN where a feature is not known. `vectors`: candidates x dimensions, none where no
    product has a vector. `recent`: the products of the shopper's history x dimensions, newest first, and
    `recent_weights` how much each of them tells: above 0 what was acted upon, below 0 what was passed over. `bought`
    and `hidden` are products of the shopper's, candidates or not.
    """

    candidates: Sequence[Candidate]
    names: Sequence[str]
    values: Numbers
    vectors: Numbers
    recent: Numbers
    recent_weights: Numbers
    bought: Collection[str] = frozenset()
    hidden: Collection[str] = frozenset()


class FeatureSource(Protocol):
    """Safe to call from several threads."""

    def input(self, situation: Situation, candidates: Sequence[Candidate]) -> RankingInput:
        """Reads once. There may be no candidates. Raises StoreUnavailable, IndexUnavailable."""
        ...


class Ranker(Protocol):
    """Safe to call from several threads."""

    @property
    def release(self) -> str: ...

    def score(self, candidates: RankingInput) -> Numbers:
        """One score for each candidate; the highest comes first. Only their order within one call has a meaning."""
        ...

    def parts(self, candidates: RankingInput) -> Mapping[str, Numbers]:
        """By feature, each one's part in the score of each candidate; their sums order as the scores do."""
        ...


def standardized(scores: Numbers) -> Numbers:
    """Of one list: mean 0, standard deviation 1; scores that are all equal stay at 0."""
    if not len(scores):
        return scores
    return np.asarray((scores - scores.mean()) / deviation(scores), np.float32)


def deviation(scores: Numbers) -> float:
    """The standard deviation to divide by: never 0, whatever the scores."""
    return max(float(scores.std()), LEAST_DEVIATION) if len(scores) else 1.0
