"""Search: understand and encode the query, ask each leg, fuse what they find, keep what matches, order and count it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from PIL.Image import Image

from encoders.base import Encoder, ImageEncoder
from encoders.occlusion import SimilarityMap, similarity_map
from index.base import IndexUnavailable, Query, ScoredProduct, VectorIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.catalogue_words import CatalogueWords
from ranking.contradictions import contradictions
from ranking.facets import Facet, count_facet
from ranking.fusion import FusedProduct, Leg, RankedLegs
from ranking.matching import image_floor, is_exact, matching, text_floor
from ranking.matching_terms import MatchingTerms
from ranking.ordering import in_order
from ranking.queries import MAX_DEPTH, QueryKind, SearchAnswer, SearchHit, SearchRequest, Sort, Total
from ranking.query_encoding import LegLeftOut, NothingToAsk, QueryEncoder
from ranking.query_understanding import QueryUnderstanding, UnderstoodQuery
from ranking.referring_words import without_referring_words
from ranking.retrieval import Retrieval
from ranking.settings import RankingSettings
from ranking.similar import SimilarProducts, SimilarRequest
from ranking.steps import StepTimer, step_observers

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


class Search:
    """Safe to call from several threads, as its encoders and its index are."""

    def __init__(  # noqa: PLR0913 - each is one part
        self,
        index: VectorIndex,
        text_encoder: Encoder,
        image_encoder: ImageEncoder,
        analyser: Analyser,
        settings: RankingSettings,
        metrics: Metrics,
        catalogue: CatalogueWords | None = None,
    ) -> None:
        """Without a `catalogue` no word of a query is corrected, and no brand comes first."""
        self._index = index
        self._analyser = analyser
        self._settings = settings
        self._searches = metrics.searches
        self._observers = step_observers(metrics)
        self._retrieval = Retrieval(index, settings)
        self._similar = SimilarProducts(index, self._retrieval, settings)
        self._image_encoder = image_encoder
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

    def close(self) -> None:
        """End the threads that ask the index. The index and the encoders stay open."""
        self._retrieval.close()

    def search(self, request: SearchRequest) -> SearchAnswer:
        """One page of results with their documents. Raises IndexUnavailable, IndexRefused."""
        try:
            answer = self._answer(request)
        except IndexUnavailable:
            self._searches.labels(request.kind, "unavailable").inc()
            raise
        self._searches.labels(request.kind, "answered" if answer.hits else "empty").inc()
        return answer

    def explain(self, request: SearchRequest, answer: SearchAnswer) -> SearchAnswer:
        """The answer to the request, its hits with the words for which the keywords leg found them."""
        understood = answer.understood
        text = understood.text if understood.text.strip() else request.text
        terms = MatchingTerms(self._analyser, text, understood.language)
        return replace(answer, hits=[replace(hit, terms=terms.of(hit)) for hit in answer.hits])

    def similar(self, request: SimilarRequest) -> list[SearchHit] | None:
        """Products like the given one, best first, without itself; None where there is no such product.

        Raises IndexUnavailable, IndexRefused.
        """
        return self._similar.find(request)

    def heat_map(self, request: SearchRequest, picture: Image, is_over: Callable[[], bool]) -> SimilarityMap:
        """Where in a product's picture its similarity to the query lies.

        Raises LegLeftOut where the query has no vector among pictures, UnusableVector, OcclusionTooSlow.
        """
        timer = StepTimer(self._observers)
        query = self._encoder.image_query(_to_search_for(request, self._understand(request)), timer)
        with timer.step("heat_map"):
            return similarity_map(self._image_encoder, picture, query.vector, is_over)

    def rank(
        self, request: SearchRequest, legs: Collection[Leg] | None = None, timer: StepTimer | None = None
    ) -> Ranking:
        """What matches, without documents, by all legs of the query's kind or by `legs` alone.

        Each leg brings `settings.candidates` products, or whole multiples of that where the page lies deeper.
        """
        timer = timer or StepTimer(self._observers)
        understood = self._understand(request)
        request = _to_search_for(request, understood)
        if never := contradictions(request.filters):
            return Ranking(request, understood, contradictions=never)
        weights = self._weights[request.kind]
        if legs is not None:
            weights = {leg: weight or 1.0 for leg, weight in weights.items() if leg in legs}
        depth = self._depth(request)
        left_out: dict[Leg, str] = {}
        queries: dict[Leg, Query] = {}
        searches: dict[Leg, Future[list[ScoredProduct]]] = {}
        for leg in _ASKING_ORDER:
            if weights.get(leg, 0.0) > 0:
                try:
                    queries[leg] = self._encoder.encode(leg, request, timer)
                except LegLeftOut as reason:
                    left_out[leg] = str(reason)
                except NothingToAsk:
                    continue
                else:
                    searches[leg] = self._retrieval.ask(queries[leg], depth, request.filters)
        with timer.step("retrieve"):
            found = {leg: search.result() for leg, search in searches.items()}
        with timer.step("fuse"):
            fused = self._retrieval.fuse(found, weights, depth, self._of_brands(found, understood.brands))
            floors = self._floors(request.kind, understood)
            matches = matching(fused, floors)
        exact = is_exact(found, floors, depth)
        nearest = bool(fused) and not matches
        return Ranking(request, understood, matches or fused, (), nearest, exact, queries, found, left_out)

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

    def _answer(self, asked: SearchRequest) -> SearchAnswer:
        timer = StepTimer(self._observers)
        ranking = self.rank(asked, timer=timer)
        request = ranking.request
        all_wanted = request.facets or request.sort is not Sort.RELEVANCE
        page = slice(request.offset, request.offset + request.limit)
        with timer.step("documents"):
            wanted = ranking.products if all_wanted else ranking.products[page]
            documents = self._index.documents([product.product_id for product in wanted])
        present = [product for product in wanted if product.product_id in documents]  # some may be deleted by now
        ordered = in_order(present, documents, request.sort)
        facets: list[Facet] = []
        if request.facets:
            with timer.step("facets"):
                facets = [self._facet(name, ranking, documents) for name in request.facets]
        shown = ordered[page] if all_wanted else ordered
        return SearchAnswer(
            kind=request.kind,
            hits=[
                SearchHit(position, product.product_id, product.score, documents[product.product_id], product.legs)
                for position, product in enumerate(shown, start=request.offset + 1)
            ],
            total=Total(0 if ranking.nearest else len(ranking.products), ranking.exact),
            understood=ranking.understood,
            contradictions=ranking.contradictions,
            nearest=ranking.nearest,
            facets=facets,
            left_out=ranking.left_out,
            seconds=timer.seconds,
        )

    def _facet(self, name: str, ranking: Ranking, documents: Mapping[str, Mapping[str, Any]]) -> Facet:
        """Without the conditions on the field itself, so that it says what each other choice would find."""
        request = ranking.request
        others = [condition for condition in request.filters if condition.field != name]
        if len(others) == len(request.filters) or ranking.contradictions:
            return count_facet(name, () if ranking.nearest else documents.values(), ranking.exact)
        depth = self._depth(request)
        found = self._retrieval.find(ranking.queries, depth, others)
        floors = self._floors(request.kind, ranking.understood)
        matches = matching(self._retrieval.fuse(found, self._weights[request.kind], depth), floors)
        held = self._index.documents([product.product_id for product in matches])
        return count_facet(name, held.values(), is_exact(found, floors, depth))

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
