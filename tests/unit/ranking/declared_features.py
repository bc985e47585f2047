"""Declared features over a store in memory that joined lists have filled, for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedback.memory_store import MemoryStore
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.updating import ProfileUpdater
from ranking.feature_settings import Feature
from ranking.features import DeclaredFeatures
from ranking.product_table import declared_table
from ranking.rankers import Candidate, RankingInput, Situation
from tests.unit.feedback.lists import HOUR, NOW
from topics.feedback import JoinedList

SETTINGS = ProfileSettings(kind="memory")


class Shop:
    """Products and what was done with them. Products are single letters."""

    def __init__(self, *features: Feature, settings: ProfileSettings = SETTINGS) -> None:
        self._store = MemoryStore()
        self._updater = ProfileUpdater(self._store, settings, lambda: NOW + HOUR)
        self.table = declared_table(features)
        self.features = DeclaredFeatures(features, self.table, StateReader(self._store, settings))

    def sells(self, **products: Mapping[str, Any]) -> "Shop":
        self.table.learn({"id": name, **product} for name, product in products.items())
        return self

    def saw(self, *lists: JoinedList) -> "Shop":
        self._updater.apply(lists)
        return self

    def input(self, products: str, shopper: str = "ann", **situation: Any) -> RankingInput:
        candidates = [Candidate(name, place, 1 / place) for place, name in enumerate(products, start=1)]
        return self.features.input(
            Situation(**{"at": NOW + 60, "text": "lamp"} | situation, shopper=shopper), candidates
        )

    def column(self, products: str, shopper: str = "ann", **situation: Any) -> list[float]:
        """The values of the first feature."""
        column: NDArray[np.float32] = self.input(products, shopper, **situation).values[:, 0]
        return column.tolist()


def order(products: str, values: Sequence[float]) -> str:
    """The products by falling values, those that are not known last."""
    return "".join(products[place] for place in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable"))
