"""From a request to all products that match: understand and encode the query, ask each leg, fuse what they find."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from math import inf

from encoders.base import Encoder, ImageEncoder
from index.base import Query, ScoredProduct, VectorQuery
from index.text_analysis import Analyser
from ranking.availability import Availability
from ranking.catalogue_words import CatalogueWords
from ranking.contradictions import contradictions
from ranking.fusion import FusedProduct, Leg, RankedLegs
from ranking.matching import image_floor, is_exact, matching, text_floor
from ranking.queries import MAX_DEPTH, QueryKind, SearchRequest, Sort
from ranking.query_encoding import LegLeftOut, NothingToAsk, QueryEncoder
from ranking.query_understanding import QueryUnderstanding, UnderstoodQuery
from ranking.referring_words import without_referring_words
from ranking.retrieval import Retrieval
from ranking.settings import RankingSettings
from ranking.steps import StepTimer

# The first two need no encoder: the index looks them up while the encoders work. The later ones overlap likewise.
_ASKING_ORDER = (Leg.IDENTIFIERS, Leg.KEYWORDS, Leg.TEXT, Leg.IMAGE)


@dataclass(frozen=True, slots=True)
class Ranking:
    """All products that match, best first.

    `request` is what was searched for, after its text was `understood`. `nearest`: nothing matches, and `products` are
    what comes nearest. `exact`: no match is missing. `queries` is what each leg was asked, `found` what it answered,
    `left_out` why one was not asked.
    """

    request: SearchRequest
    understood: UnderstoodQuery
    products: Sequence[FusedProduct] = ()
    contradictions: Sequence[str] = ()
    nearest: bool = False
    exact: bool = True
    queries: Mapping[Leg, Query] = field(default_factory=dict)
    found: RankedLegs = field(default_factory=dict)
    left_out: Mapping[Leg, str] = field(default_factory=dict)


class Candidates:
    """Safe to use from several threads, as the encoders and the index are."""

    def __init__(
        self,
        retrieval: Retrieval,
        text_encoder: Encoder,
        image_encoder: ImageEncoder,
        analyser: Analyser,
        settings: RankingSettings,
        catalogue: CatalogueWords | None,
    ) -> None:
        """Without a `catalogue` no word of a query is corrected, and no brand comes first."""
        self._retrieval = retrieval
        self._settings = settings
        self._availability = Availability(settings.availability)
        self._encoder = QueryEncoder(text_encoder, image_encoder, analyser, settings.composition)
        self._catalogue = catalogue
        self._understanding = QueryUnderstanding(settings.understanding, settings.default_language, catalogue)
        self._floors_of_texts = {
            Leg.TEXT: text_floor(text_encoder.release, settings.text_floor),
            Leg.BRANDS: inf,  # a brand alone makes no match
            Leg.IMAGE: image_floor(image_encoder.release, settings.image_floor),
        }
        self._weights = {
            QueryKind.TEXT: settings.text_query.by_leg(),
            QueryKind.PICTURE: settings.picture_query.by_leg(),
            QueryKind.TEXT_AND_PICTURE: settings.text_and_picture_query.by_leg(),
        }

    def rank(self, request: SearchRequest, legs: Collection[Leg] | None, timer: StepTimer) -> Ranking:
        """What matches, by all legs of the query's kind or by `legs` alone."""
        understood = self._understand(request)
        request = _to_search_for(request, understood)
        if never := contradictions(request.filters):
            return Ranking(request, understood, contradictions=never)
        weights = self._weights[request.kind]
        if legs is not None:
            weights = {leg: weight or 1.0 for leg, weight in weights.items() if leg in legs}
        depth = self._depth(request)
        queries, searches, left_out = self._ask(
            request, [leg for leg in _ASKING_ORDER if weights.get(leg)], depth, timer
        )
        with timer.step("retrieve"):
            found = {leg: search.result() for leg, search in searches.items()}
        with timer.step("fuse"):
            fused = self._retrieval.fuse(found, weights, depth, self._of_brands(found, understood.brands))
            floors = self._floors(request.kind, understood)
            matches = matching(fused, floors)
        exact = is_exact(found, floors, depth)
        nearest = bool(fused) and not matches
        return Ranking(request, understood, matches or fused, (), nearest, exact, queries, found, left_out)

    def without(self, field: str, ranking: Ranking) -> tuple[Sequence[FusedProduct], bool]:
        """What matches without the filters on one field, and whether no match is missing."""
        request = ranking.request
        filters = self._availability.filters(request.filters)
        others = [condition for condition in filters if condition.field != field]
        depth = self._depth(request)
        found = self._retrieval.find(ranking.queries, depth, others)
        floors = self._floors(request.kind, ranking.understood)
        matches = matching(self._retrieval.fuse(found, self._weights[request.kind], depth), floors)
        return matches, is_exact(found, floors, depth)

    def picture_query(self, request: SearchRequest, timer: StepTimer) -> VectorQuery:
        """What is asked of products' pictures. Raises LegLeftOut, UnusableVector."""
        return self._encoder.image_query(_to_search_for(request, self._understand(request)), timer)

    def _ask(
        self, request: SearchRequest, legs: Sequence[Leg], depth: int, timer: StepTimer
    ) -> tuple[dict[Leg, Query], dict[Leg, Future[list[ScoredProduct]]], dict[Leg, str]]:
        """By leg: the query, the search that is on its way, or why it was left out."""
        left_out: dict[Leg, str] = {}
        queries: dict[Leg, Query] = {}
        searches: dict[Leg, Future[list[ScoredProduct]]] = {}
        filters = self._availability.filters(request.filters)
        for leg in legs:
            try:
                queries[leg] = self._encoder.encode(leg, request, timer)
            except LegLeftOut as reason:
                left_out[leg] = str(reason)
            except NothingToAsk:
                continue
            else:
                searches[leg] = self._retrieval.ask(queries[leg], depth, filters)
        return queries, searches, left_out

    def _understand(self, request: SearchRequest) -> UnderstoodQuery:
        if not request.interpret:
            return UnderstoodQuery(request.text, request.language or self._settings.default_language, (), ())
        return self._understanding.understand(request.text, request.language, request.as_words)

    def _of_brands(self, found: RankedLegs, brands: Collection[str]) -> Collection[str]:
        if self._catalogue is None or not brands:
            return ()
        return self._catalogue.of_brands({hit.product_id for hits in found.values() for hit in hits}, brands)

    def _floors(self, kind: QueryKind, understood: UnderstoodQuery) -> Mapping[Leg, float]:
        """Whatever its filters find matches a query that is nothing but filters."""
        return self._floors_of_texts if kind is QueryKind.TEXT and understood.text.strip() else {}

    def _depth(self, request: SearchRequest) -> int:
        """Whole blocks of candidates; where another order is asked for, the same for every page."""
        if request.sort is not Sort.RELEVANCE:
            return self._settings.sorted_candidates
        blocks = -(-(request.offset + request.limit) // self._settings.candidates)
        return min(blocks * self._settings.candidates, MAX_DEPTH)


def _to_search_for(request: SearchRequest, understood: UnderstoodQuery) -> SearchRequest:
    """A query that is nothing but filters is searched by its words, which then only decide the order."""
    if request.image is not None:
        text = without_referring_words(understood.text)
    else:
        text = understood.text if understood.text.strip() else request.text
    return replace(
        request,
        text=text,
        language=understood.language,
        filters=[*request.filters, *(condition for phrase in understood.phrases for condition in phrase.filters)],
    )
