"""What the features of one list are computed from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feedback.decay import Floats
from feedback.reading import ShopperState
from ranking.product_table import ProductTable, Rows
from ranking.rankers import Candidate, Situation
from ranking.shopper_history import History


@dataclass(frozen=True, slots=True, eq=False)
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
