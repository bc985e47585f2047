"""How well lists fit the hidden tastes, session by session."""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.shoppers.comparison import Comparison, PairedNdcg, compare
from learning.relevance import RelevanceOptions


@dataclass(frozen=True, slots=True)
class Round:
    """The `session`-th session, from 1, of every shopper."""

    session: int
    comparison: Comparison


class LearningCurve:
    """Rounds that every one of `shoppers` has been through; one in which nobody found anything to like is left out."""

    def __init__(self, shoppers: int, options: RelevanceOptions) -> None:
        self._shoppers = shoppers
        self._options = options
        self._sorted = 0
        self._open: dict[int, list[PairedNdcg]] = {}
        self.rounds: list[Round] = []

    def update(self, searches: Sequence[PairedNdcg]) -> list[Round]:
        """The rounds that are complete and were not before; `searches` are all so far, one a shopper and session."""
        for one in searches[self._sorted :]:
            self._open.setdefault(one.session, []).append(one)
        self._sorted = len(searches)
        complete = sorted(session for session, of_it in self._open.items() if len(of_it) == self._shoppers)
        compared = ((session, compare(self._open.pop(session), self._options)) for session in complete)
        new = [Round(session, comparison) for session, comparison in compared if comparison is not None]
        self.rounds += new
        return new
