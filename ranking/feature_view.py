"""What the features of one list are computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from feedback.decay import Floats
from feedback.shopper_state import ShopperState
from ranking.product_table import ProductTable, Rows
from ranking.rankers import Candidate, Numbers, Situation
from ranking.shopper_history import History


class Told(NamedTuple):
    """A line each: how much it still counts, that of what was acted upon, that of what says anything of taste, and that
    times its surprise.
    """

    weights: Floats
    liked: Floats
    telling: Floats
    surprise: Floats


@dataclass(frozen=True, eq=False)
class View:
    """`rows` and `history_rows` are those of the table; `surprise` is that of each line of the history. `places`: where
    each product stands among the candidates, from 0; one place for a product that stands there twice.
    """

    situation: Situation
    candidates: Sequence[Candidate]
    places: Mapping[str, int]
    rows: Rows
    state: ShopperState
    history: History
    history_rows: Rows
    surprise: Floats
    table: ProductTable

    @cached_property
    def _told(self) -> dict[tuple[float, bool], Told]:
        return {}

    def told(self, half_life_hours: float, of_session: bool = False) -> Told:
        """What each line of the history tells, as far as it still counts; of the session: nothing from before it."""
        asked = half_life_hours, of_session
        if asked not in self._told:
            weights = self.history.weights(self.situation.at, half_life_hours * 3_600)
            if of_session:
                weights = weights * self.history.in_session
            telling = weights * (self.surprise != 0)
            self._told[asked] = Told(weights, weights * self.history.liked, telling, weights * self.surprise)
        return self._told[asked]

    @cached_property
    def vectors(self) -> Numbers:
        """Candidates x dimensions."""
        return self.table.vectors(self.rows)

    @cached_property
    def history_vectors(self) -> Numbers:
        """Lines x dimensions."""
        return self.table.vectors(self.history_rows)
