"""What the features of one list are computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from feedback.decay import Floats
from feedback.shopper_state import ShopperState
from ranking.product_table import ProductTable, Rows
from ranking.rankers import Candidate, Numbers, Situation
from ranking.shopper_history import History


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
    def _weights(self) -> dict[float, Floats]:
        return {}

    def weights(self, half_life_hours: float) -> Floats:
        """How much each line of the history still counts."""
        weights = self._weights.get(half_life_hours)
        if weights is None:
            weights = self._weights[half_life_hours] = self.history.weights(self.situation.at, half_life_hours * 3_600)
        return weights

    @cached_property
    def vectors(self) -> Numbers:
        """Candidates x dimensions."""
        return self.table.vectors(self.rows)

    @cached_property
    def history_vectors(self) -> Numbers:
        """Lines x dimensions."""
        return self.table.vectors(self.history_rows)
