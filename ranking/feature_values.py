"""How each kind of declared feature is computed: a column of numbers for all candidates of a list at once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from feedback.contexts import daypart_of
from feedback.decay import Floats
from feedback.statistics import Counter, odds
from ranking.centred_likeness import centred_likeness
from ranking.feature_settings import (
    AffinityFeature,
    ClosenessFeature,
    CoClickFeature,
    ContextFeature,
    Feature,
    HistoryFeature,
    ImpressionsFeature,
    LiftFeature,
    NumberFeature,
    PositionFeature,
    RateFeature,
    ScoreFeature,
    SeenFeature,
    SimilarityFeature,
)
from ranking.feature_view import Told, View
from ranking.product_table import Rows, ValueIds
from ranking.rankers import Numbers

Computation = Callable[[View], Floats | Numbers]

_COUNTERS = {"click": Counter.CLICKS, "add_to_cart": Counter.ADD_TO_CARTS, "purchase": Counter.PURCHASES}
_PRIOR_LINES = 10.0  # as many lines of no taste at all are thought to stand in each shopper's history


def computation(feature: Feature, half_lives_hours: Sequence[float]) -> Computation:
    """Of one declared feature. `half_lives_hours` are those of the counts. Raises ValueError for another one."""
    if isinstance(feature, RateFeature):
        return partial(_rate, feature, _place(feature.half_life_hours, half_lives_hours))
    if isinstance(feature, LiftFeature):
        return partial(_lift, _place(feature.half_life_hours, half_lives_hours))
    if isinstance(feature, ImpressionsFeature):
        return partial(_impressions, _place(feature.half_life_hours, half_lives_hours))
    return partial(_COMPUTATIONS[type(feature)], feature)


def _place(half_life_hours: float | None, kept: Sequence[float]) -> int | None:
    if half_life_hours is None:
        return None
    if half_life_hours not in kept:
        raise ValueError(
            f"no counts fade with a half life of {half_life_hours:g} hours: add it to profiles.half_lives_hours"
        )
    return list(kept).index(half_life_hours)


def _score(_: ScoreFeature, view: View) -> Floats:
    return np.array([np.nan if one.score is None else one.score for one in view.candidates])


def _position(_: PositionFeature, view: View) -> Floats:
    return np.array([float(one.position) for one in view.candidates])


def _number(feature: NumberFeature, view: View) -> Numbers:
    return _scaled(view.table.numbers(feature.field, view.rows), feature.scale)


def _rate(feature: RateFeature, half_life: int | None, view: View) -> Floats:
    rates = view.state.rates if feature.of == "product" else view.state.class_rates
    log_odds: Floats = np.log(odds(rates(_COUNTERS[feature.action], half_life)))
    return log_odds


def _context(feature: ContextFeature, view: View) -> Floats:
    counter = _COUNTERS[feature.action]
    if feature.of == "place":
        return view.state.place_lifts(counter)
    daypart = daypart_of(view.situation.context)
    return np.zeros(len(view.rows)) if daypart is None else view.state.daypart_lifts(counter, daypart)


def _lift(half_life: int | None, view: View) -> Floats:
    return view.state.lifts(half_life)


def _impressions(half_life: int | None, view: View) -> Floats:
    return np.log1p(view.state.products.column(Counter.IMPRESSIONS, half_life))


def _history(_: HistoryFeature, view: View) -> Floats:
    return np.full(len(view.rows), np.log1p(view.history.liked.sum()))


def _seen(feature: SeenFeature, view: View) -> Floats:
    history = view.history
    sums = np.zeros(len(view.candidates))
    if seen := view.places.keys() & history.product_ids:
        told = view.told(feature.half_life_hours)
        signs = 2 * told.liked - told.weights
        for line, product_id in enumerate(history.product_ids):
            if product_id in seen:
                sums[view.places[product_id]] += signs[line]
    return _by_product(view, sums)


def _affinity(feature: AffinityFeature, view: View) -> Floats:
    """The taste for each value, summed over a product's values."""
    told = view.told(feature.half_life_hours, feature.of == "session")
    values = view.table.values(feature.field, view.rows)
    known = view.table.values(feature.field, view.history_rows)
    taste = _taste(feature, told, known, view.table.most_value(feature.field) + 1)
    affinities: Floats = taste.take(values).sum(axis=1)
    affinities[values[:, 0] == 0] = np.nan
    return affinities


def _taste(feature: AffinityFeature, told: Told, known: ValueIds, count: int) -> Floats:
    """By the value's id, for `count` values of which the first is none: the mean surprise of what has it, drawn towards
    none, or its share of what was acted upon.
    """
    taste: Floats = (
        _sums(known, told.liked, count) / max(float(told.liked.sum()), 1.0)
        if feature.learns_from == "actions"
        else _sums(known, told.surprise, count) / (_sums(known, told.telling, count) + _PRIOR_LINES)
    )
    taste[0] = 0.0
    return taste


def _sums(ids: ValueIds, amounts: Floats, count: int) -> Floats:
    """Of the amounts of all lines that have a value, for each value."""
    sums: Floats = np.bincount(ids.ravel(), amounts.repeat(ids.shape[1]), count).astype(np.float64, copy=False)
    return sums


def _closeness(feature: ClosenessFeature, view: View) -> Floats:
    """The slope of surprise over the number in units of its spread over the catalogue, drawn towards none."""
    offered = _standard(feature, view, view.rows)
    known = _standard(feature, view, view.history_rows)
    unknown = np.isnan(known)
    known[unknown] = 0.0
    told = view.told(feature.half_life_hours)
    slope = told.surprise @ known / (told.telling @ known**2 + _PRIOR_LINES)
    closeness: Floats = offered * slope
    return closeness


def _similarity(feature: SimilarityFeature, view: View) -> Numbers:
    """Mean surprise of the history, each line weighed by how like the candidate it is; unlike ones count against."""
    told = view.told(feature.half_life_hours)
    likeness = centred_likeness(view.vectors, view.history_vectors, view.table.mean_vector())
    similar: Numbers = likeness.sums(told.surprise) / (likeness.sizes(told.telling) + 1)
    return similar


def _co_click(_: CoClickFeature, view: View) -> Floats:
    together = np.zeros(len(view.candidates))
    for beside in view.state.co_clicks:
        for other in view.places.keys() & beside.others:
            together[view.places[other]] += beside.counts[beside.others.index(other)]
    return _by_product(view, np.log1p(together))


def _by_product(view: View, values: Floats) -> Floats:
    """What stands at the place of each candidate's product."""
    if len(view.places) == len(view.candidates):
        return values
    places = [view.places[one.product_id] for one in view.candidates]
    return values[np.array(places, np.int64)]


def _standard(feature: ClosenessFeature, view: View, rows: Rows) -> Floats:
    middle, spread = view.table.spread(feature.field, feature.scale == "log")
    numbers = _scaled(view.table.numbers(feature.field, rows), feature.scale).astype(np.float64)
    standard: Floats = np.minimum(np.maximum((numbers - middle) / spread, -3), 3)
    return standard


def _scaled(numbers: Numbers, scale: str) -> Numbers:
    return np.log1p(np.maximum(numbers, 0)) if scale == "log" else numbers


_COMPUTATIONS: Mapping[type, Callable[[Any, View], Floats | Numbers]] = {
    ScoreFeature: _score,
    PositionFeature: _position,
    NumberFeature: _number,
    ContextFeature: _context,
    HistoryFeature: _history,
    SeenFeature: _seen,
    AffinityFeature: _affinity,
    ClosenessFeature: _closeness,
    SimilarityFeature: _similarity,
    CoClickFeature: _co_click,
}
