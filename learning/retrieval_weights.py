"""Weights of the legs of one kind of query, from judged queries, with cross-validation."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from learning.qrels import Judgments, RelevanceError
from learning.query_sets import QuerySet
from learning.relevance import RelevanceOptions, evaluate
from ranking.fusion import Leg, RankedLegs, fuse_weighted
from ranking.search import Search

LEGS = (Leg.TEXT, Leg.KEYWORDS, Leg.IMAGE)
_STEPS = {1: 1, 2: 20, 3: 10}  # into how many parts the whole is divided, by how many legs there are
_NDCG = "NDCG@10"
_DEPTH = 10
_LEAST_QUERIES = 10

_Scores: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoundLegs:
    """What each leg found for one query: over the whole index, and of the judged products alone."""

    full: RankedLegs
    judged: RankedLegs


@dataclass(frozen=True, slots=True)
class WeightChoice:
    """`weights` sum to 1."""

    weights: Mapping[Leg, float]
    keyword_places: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Mean NDCG@10 over queries: of the ranked judged products, and over the index with unjudged ones as irrelevant."""

    judged: float
    full: float


@dataclass(frozen=True, slots=True)
class LearnedWeights:
    """`chosen` on all queries; `on_these` is its quality there, `cross_validated` that of weights chosen on others."""

    chosen: WeightChoice
    queries: int
    cross_validated: Quality
    on_these: Quality


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """`keyword_places`: which to try; only text queries choose, since one setting holds for all kinds."""

    folds: int = 5
    repeats: int = 20
    seed: int = 0
    keyword_places: tuple[int, ...] = (25, 50, 75, 100)


def find_legs(
    search: Search, query_sets: Sequence[QuerySet], on_query: Callable[[], None] = lambda: None
) -> tuple[dict[str, FoundLegs], Judgments]:
    """Ask each judged query of sets of one kind by the pipeline that serves; with their judgments under the same ids.

    Where all products are judged, both views are the same.
    """
    found: dict[str, FoundLegs] = {}
    ratings, texts = {}, {}
    for queries in query_sets:
        for query_id in queries.judgments.answerable():
            name = f"{queries.name}/{query_id}"
            ratings[name] = rated = queries.judgments.ratings[query_id]
            texts[name] = queries.label(query_id)
            full = _without(queries.own.get(query_id), search.rank(queries.request(query_id, 1), LEGS).found)
            judged = full
            if queries.pooled:
                judged = search.rank(queries.request(query_id, len(rated), only=list(rated)), LEGS).found
            found[name] = FoundLegs(full, judged)
            on_query()
    return found, Judgments(ratings, texts)


def _without(product_id: str | None, found: RankedLegs) -> RankedLegs:
    return {leg: [hit for hit in hits if hit.product_id != product_id] for leg, hits in found.items()}


def learn_weights(
    found: Mapping[str, FoundLegs],
    judgments: Judgments,
    options: LearningOptions,
    on_choice: Callable[[int, int], None] = lambda done, of: None,
) -> LearnedWeights:
    """The weights with the best mean of both views. `on_choice` hears how many of how many choices were measured.

    Raises RelevanceError where there are too few queries to choose by.
    """
    if len(found) < max(_LEAST_QUERIES, options.folds):
        raise RelevanceError(f"{len(found)} queries with a rating above 0 are too few to choose weights by")
    choices = list(_choices(found, options.keyword_places))
    measured = []
    for number, choice in enumerate(choices, start=1):
        measured.append(_views(choice, found, judgments))
        on_choice(number, len(choices))
    views = np.stack(measured, axis=1)
    best = int(np.argmax(_quality(views)))
    return LearnedWeights(
        choices[best],
        len(found),
        Quality(*map(float, _cross_validated(views, _groups(found), options))),
        Quality(*map(float, views[:, best].mean(axis=1))),
    )


def quality_of(choice: WeightChoice, found: Mapping[str, FoundLegs], judgments: Judgments) -> Quality:
    """What given weights reach on these queries."""
    judged, full = _views(choice, found, judgments).mean(axis=1)
    return Quality(float(judged), float(full))


def _views(choice: WeightChoice, found: Mapping[str, FoundLegs], judgments: Judgments) -> _Scores:
    """Of shape (2 views, queries)."""
    full = _ndcg({query_id: legs.full for query_id, legs in found.items()}, choice, judgments)
    if all(legs.judged is legs.full for legs in found.values()):
        return np.stack([full, full])
    return np.stack([_ndcg({query_id: legs.judged for query_id, legs in found.items()}, choice, judgments), full])


def _choices(found: Mapping[str, FoundLegs], keyword_places: Sequence[int]) -> Iterator[WeightChoice]:
    heard = [leg for leg in LEGS if any(legs.full.get(leg) for legs in found.values())]
    if not heard:
        raise RelevanceError("the queries found nothing: is the catalogue indexed? `millrace doctor` tells")
    steps = _STEPS[len(heard)]
    counted = keyword_places if Leg.KEYWORDS in heard else keyword_places[:1]
    for parts in itertools.product(range(steps + 1), repeat=len(heard)):
        if sum(parts) == steps:
            weights = {leg: part / steps for leg, part in zip(heard, parts, strict=True)}
            for places in counted:
                yield WeightChoice(weights, places)


def _ndcg(found: Mapping[str, RankedLegs], choice: WeightChoice, judgments: Judgments) -> _Scores:
    run = {
        query_id: [
            (hit.product_id, hit.score) for hit in fuse_weighted(legs, choice.weights, choice.keyword_places, 100)
        ]
        for query_id, legs in found.items()
    }
    return evaluate(run, judgments, RelevanceOptions(resamples=1)).values[_NDCG]


def _quality(views: _Scores) -> _Scores:
    """Of shape (choices,), from (2 views, choices, queries)."""
    quality: _Scores = views.mean(axis=(0, 2))
    return quality


def _groups(found: Iterable[str]) -> NDArray[np.intp]:
    """Of each query, the number of its id without the set's name: the same question in two sets stays in one fold."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name.rpartition("/")[2], len(numbers)) for name in found])


def _cross_validated(views: _Scores, groups: NDArray[np.intp], options: LearningOptions) -> Sequence[float]:
    """Both views' mean over all queries, each measured with what was chosen on the folds that it is not in."""
    rng = np.random.default_rng(options.seed)
    held_out = np.zeros((2, options.repeats, views.shape[2]))
    for repeat in range(options.repeats):
        fold_of = (rng.permutation(groups.max() + 1) % options.folds)[groups]
        for fold in range(options.folds):
            chosen = int(np.argmax(_quality(views[:, :, fold_of != fold])))
            held_out[:, repeat, fold_of == fold] = views[:, chosen, fold_of == fold]
    means: list[float] = held_out.mean(axis=(1, 2)).tolist()
    return means
