"""How well lists fit the hidden tastes, session by session."""

from collections.abc import Sequence
from dataclasses import dataclass

from demo.shoppers.comparison import Comparison, ListPair, compare_lists
from learning.relevance import RelevanceOptions


@dataclass(frozen=True, slots=True)
class Round:
    """The `session`-th session, from 1, of every shopper."""

    session: int
    comparison: Comparison


class LearningCurve:
    """Rounds in which every one of `shoppers` has been; one in which nothing was to anybody's liking is left out."""

    def __init__(self, shoppers: int, options: RelevanceOptions) -> None:
        self._shoppers = shoppers
        self._options = options
        self._judged = 0
        self.rounds: list[Round] = []

    def update(self, pairs: Sequence[ListPair]) -> list[Round]:
        """The rounds that are complete and were not before; `pairs` are all of them so far."""
        new: list[Round] = []
        while len(of_round := self._of(pairs, self._judged + 1)) == self._shoppers:
            self._judged += 1
            if comparison := compare_lists(of_round, self._options):
                new.append(Round(self._judged, comparison))
        self.rounds += new
        return new

    def overall(self, pairs: Sequence[ListPair]) -> Comparison | None:
        """All sessions together, complete round or not."""
        return compare_lists(pairs, self._options)

    def _of(self, pairs: Sequence[ListPair], session: int) -> list[ListPair]:
        return [pair for pair in pairs if pair.session == session]
