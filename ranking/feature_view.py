"""What the features of one list are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

from feedback.reading import ShopperState
from ranking.product_table import ProductTable, Rows
from ranking.rankers import Candidate, Situation
from ranking.shopper_history import History


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`rows` and `history_rows` are those of the table. `co_clicks`: of the last products that were acted upon."""

    situation: Situation
    candidates: Sequence[Candidate]
    rows: Rows
    state: ShopperState
    history: History
    history_rows: Rows
    table: ProductTable
    co_clicks: Sequence[dict[str, float]]
