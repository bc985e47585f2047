"""Declared features of candidates, out of what is kept: one code for serving, replay and training."""

from collections.abc import Sequence

import numpy as np

from feedback.profiles import Deeds
from feedback.reading import StateReader
from ranking.feature_settings import CoClickFeature, Feature
from ranking.feature_values import computation
from ranking.feature_view import View
from ranking.product_table import ProductTable
from ranking.rankers import Candidate, Numbers, RankingInput, Situation
from ranking.shopper_history import read_history

_LAST_ACTED_UPON = 10


class DeclaredFeatures:
    """A FeatureSource: safe to call from several threads. Values are as of the situation's time."""

    def __init__(self, declared: Sequence[Feature], table: ProductTable, reader: StateReader) -> None:
        self._names = tuple(feature.name for feature in declared)
        self._computations = [computation(feature, reader.half_lives_hours) for feature in declared]
        self._co_clicks = any(isinstance(feature, CoClickFeature) for feature in declared)
        self._table = table
        self._reader = reader

    def input(self, situation: Situation, candidates: Sequence[Candidate]) -> RankingInput:
        """Raises StoreUnavailable."""
        view = self._view(situation, candidates)
        columns = [compute(view) for compute in self._computations]
        values: Numbers = np.empty((len(candidates), len(columns)), np.float32)
        for place, column in enumerate(columns):
            values[:, place] = column
        profile = view.state.profile
        return RankingInput(
            candidates,
            self._names,
            values,
            self._table.vectors(view.rows),
            self._table.vectors(view.history_rows),
            view.history.surprise.astype(np.float32),
            frozenset(profile.bought),
            profile.hidden,
        )

    def _view(self, situation: Situation, candidates: Sequence[Candidate]) -> View:
        product_ids = [candidate.product_id for candidate in candidates]
        state = self._reader.read(situation.shopper, product_ids, situation.text, situation.at)
        history = read_history(state.profile, state.recent, self._reader, situation.session, situation.at)
        return View(
            situation,
            candidates,
            self._table.rows(product_ids),
            state,
            history,
            self._table.rows(history.product_ids),
            self._table,
            self._beside(state.recent, situation.at) if self._co_clicks else (),
        )

    def _beside(self, recent: Deeds, at: float) -> list[dict[str, float]]:
        """Co-clicks of the last products that were acted upon."""
        last = list(dict.fromkeys(recent.product_ids))[:_LAST_ACTED_UPON]
        return self._reader.co_clicked(last, at) if last else []
