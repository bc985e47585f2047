"""Declared features of candidates, out of what is kept: one code for serving, replay and training."""

from collections.abc import Sequence
from itertools import compress

import numpy as np

from feedback.contexts import place_class
from feedback.reading import Asked, StateReader
from feedback.statistics import Counter
from ranking.feature_settings import CoClickFeature, ContextFeature, Feature
from ranking.feature_values import computation
from ranking.feature_view import View
from ranking.product_table import ProductTable
from ranking.rankers import Candidate, Numbers, RankingInput, Situation
from ranking.shopper_history import History, history_of, surprises

_LAST_ACTED_UPON = 10


class DeclaredFeatures:
    """A FeatureSource. Values are as of the situation's time.

    Counts and the profile are read one after the other: what is written in between shows in the counts alone.
    """

    def __init__(self, declared: Sequence[Feature], table: ProductTable, reader: StateReader) -> None:
        """Raises ValueError where a feature asks for a half life with which no counts fade."""
        self._names = tuple(feature.name for feature in declared)
        self._computations = [computation(feature, reader.half_lives_hours) for feature in declared]
        self._co_clicks = any(isinstance(feature, CoClickFeature) for feature in declared)
        self._places = any(isinstance(feature, ContextFeature) and feature.of == "place" for feature in declared)
        self._table = table
        self._reader = reader

    def input(self, situation: Situation, candidates: Sequence[Candidate]) -> RankingInput:
        """Raises StoreUnavailable."""
        view = self._view(situation, candidates)
        values: Numbers = np.empty((len(candidates), len(self._computations)), np.float32)
        for place, compute in enumerate(self._computations):
            values[:, place] = compute(view)
        profile = view.state.profile
        return RankingInput(
            candidates,
            self._names,
            values,
            view.vectors,
            view.history_vectors,
            view.surprise.astype(np.float32),
            profile.bought.keys(),
            profile.hidden,
        )

    def _view(self, situation: Situation, candidates: Sequence[Candidate]) -> View:
        product_ids = [candidate.product_id for candidate in candidates]
        profile = self._reader.profile(situation.shopper)
        history = history_of(profile, self._reader.history_items, situation.session)
        place = place_class(situation.context) if self._places else ""
        asked = Asked(product_ids, situation.text, history.product_ids, self._last_acted_upon(history), place)
        state = self._reader.read_beside(profile, asked, situation.at)
        return View(
            situation,
            candidates,
            {product_id: place for place, product_id in enumerate(product_ids)},
            self._table.rows(product_ids),
            state,
            history,
            self._table.rows(history.product_ids),
            surprises(history.liked, history.lists, state.rates_of_others(Counter.CLICKS)),
            self._table,
        )

    def _last_acted_upon(self, history: History) -> list[str]:
        if not self._co_clicks:
            return []
        return list(dict.fromkeys(compress(history.product_ids, history.liked)))[:_LAST_ACTED_UPON]
