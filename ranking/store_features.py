"""Features that the profile store alone can tell: how often products are turned to, and what the shopper did."""

from collections.abc import Sequence

import numpy as np

from feedback.reading import ShopperState, StateReader
from feedback.statistics import Counter
from ranking.rankers import Candidate, Numbers, RankingInput, Situation
from ranking.stock import Stock

NAMES = ("score", "position", "click_rate", "add_to_cart_rate", "purchase_rate", "acted_upon")
_NO_VECTORS = np.empty((0, 0), np.float32)


class StoreFeatures:
    """A FeatureSource without vectors. `acted_upon`: the shopper's actions on the product, faded with time."""

    def __init__(self, reader: StateReader, stock: Stock) -> None:
        self._reader = reader
        self._stock = stock

    def input(self, situation: Situation, candidates: Sequence[Candidate]) -> RankingInput:
        state = self._reader.read(
            situation.shopper, [one.product_id for one in candidates], situation.text, situation.at
        )
        profile = state.profile
        return RankingInput(
            candidates=candidates,
            names=NAMES,
            values=np.column_stack(
                [
                    np.array([np.nan if one.score is None else one.score for one in candidates], np.float32),
                    np.array([one.position for one in candidates], np.float32),
                    *(_rates(state, counter) for counter in (Counter.CLICKS, Counter.ADD_TO_CARTS, Counter.PURCHASES)),
                    self._acted_upon(state, candidates, situation.at),
                ]
            ),
            vectors=np.zeros((len(candidates), 0), np.float32),
            recent=_NO_VECTORS,
            recent_weights=np.empty(0, np.float32),
            bought=profile.bought.keys(),
            hidden=profile.hidden,
            availability=self._stock.availability([one.product_id for one in candidates]),
        )

    def _acted_upon(self, state: ShopperState, candidates: Sequence[Candidate], at: float) -> Numbers:
        weights = self._reader.long_term_weights(state.recent, at).tolist()
        sums: dict[str, float] = {}
        for product_id, weight in zip(state.recent.product_ids, weights, strict=True):
            sums[product_id] = sums.get(product_id, 0.0) + weight
        return np.array([sums.get(one.product_id, np.nan) for one in candidates], np.float32)


def _rates(state: ShopperState, counter: Counter) -> Numbers:
    return state.rates(counter).astype(np.float32)
