"""Search: encode the query, ask each leg, fuse what they find, keep what matches, order it, fetch its documents."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf
from time import perf_counter
from typing import Any

from encoders.base import Encoder, ImageEncoder, UnusableVector, Vectors
from encoders.fusion import WeightedFusion
from index.base import (
    IMAGE_FIELD,
    TEXT_FIELD,
    IndexUnavailable,
    KeywordQuery,
    Query,
    ScoredProduct,
    Vector,
    VectorIndex,
    VectorQuery,
)
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.contradictions import contradictions
from ranking.facets import Facet, count_facet
from ranking.floors import image_floor, text_floor
from ranking.fusion import FusedProduct, Leg, LegHit, RankedLegs, Weights, fuse_reciprocal_ranks, fuse_weighted
from ranking.ordering import in_order
from ranking.queries import MAX_DEPTH, QueryKind, SearchAnswer, SearchHit, SearchRequest, Sort, Total
from ranking.query_understanding import QueryUnderstanding, UnderstoodQuery
from ranking.settings import LegWeights, RankingSettings

STEPS = ("encode_text", "encode_image", "retrieve", "fuse", "documents", "facets")
# Keywords need no encoder: the index looks them up while the encoders work. Each later leg overlaps in the same way.
_ASKING_ORDER = (Leg.KEYWORDS, Leg.TEXT, Leg.IMAGE)
_THREADS = 64
_BOTH = WeightedFusion({"picture": 1, "text": 1})


@dataclass(frozen=True, slots=True)
class Ranking:
    """All products that match, best first; why a leg was not asked; the seconds of each step.

    `request` is what was searched for, after its text was `understood`. `nearest`: nothing matches, and `products` are
    what comes nearest. `exact`: no match is missing. `queries` is what each leg was asked.
    """

    request: SearchRequest
    understood: UnderstoodQuery
    contradictions: Sequence[str]

    products: Sequence[FusedProduct]
    nearest: bool
    exact: bool
    queries: Mapping[Leg, Query]
    left_out: Mapping[Leg, str]
    seconds: Mapping[str, float]


class Search:
    """Safe to call from several threads, as its encoders and its index are."""

    def __init__(
        self,
        index: VectorIndex,
        text_encoder: Encoder,
        image_encoder: ImageEncoder,
        analyser: Analyser,
        settings: RankingSettings,
        metrics: Metrics,
    ) -> None:
        self._index = index
        self._text_encoder = text_encoder
        self._image_encoder = image_encoder
        self._analyser = analyser
        self._settings = settings
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="search-leg")
        self._searches = metrics.searches
        self._understanding = QueryUnderstanding(settings.understanding, settings.default_language)
        self._floors_of_texts = {
            Leg.TEXT: text_floor(text_encoder.release, settings.text_floor),
            Leg.IMAGE: image_floor(image_encoder.release, settings.image_floor),
        }
        self._histograms = {step: metrics.search_seconds.labels(step) for step in STEPS}
        self._weights = {
            QueryKind.TEXT: _by_leg(settings.text_query),
            QueryKind.PICTURE: _by_leg(settings.picture_query),
            QueryKind.TEXT_AND_PICTURE: _by_leg(settings.text_and_picture_query),
        }

    def close(self) -> None:
        """End the threads that ask the index. The index and the encoders stay open."""
        self._threads.shutdown()

    def search(self, request: SearchRequest) -> SearchAnswer:
        """One page of results with their documents. Raises IndexUnavailable, IndexRefused."""
        try:
            answer = self._answer(request)
        except IndexUnavailable:
            self._searches.labels(request.kind, "unavailable").inc()
            raise
        self._searches.labels(request.kind, "answered" if answer.hits else "empty").inc()
        return answer

    def rank(self, request: SearchRequest, legs: Collection[Leg] | None = None) -> Ranking:
        """What matches, without documents, by all legs of the query's kind or by `legs` alone.

        Each leg brings `settings.candidates` products, or whole multiples of that where the page lies deeper.
        """
        left_out: dict[Leg, str] = {}
        seconds: dict[str, float] = {}
        understood = self._understand(request)
        request = _to_search_for(request, understood)
        if never := contradictions(request.filters):
            return Ranking(request, understood, never, (), True, True, {}, left_out, seconds)
        weights = self._weights[request.kind]
        if legs is not None:
            weights = {leg: weight or 1.0 for leg, weight in weights.items() if leg in legs}
        depth = self._depth(request)
        queries: dict[Leg, Query] = {}
        searches: dict[Leg, Future[list[ScoredProduct]]] = {}
        for leg in _ASKING_ORDER:
            if weights.get(leg, 0.0) > 0 and (query := self._query(leg, request, left_out, seconds)) is not None:
                queries[leg] = query
                searches[leg] = self._threads.submit(self._index.search, query, depth, request.filters)
        with self._timed("retrieve", seconds):
            found = {leg: search.result() for leg, search in searches.items()}
        with self._timed("fuse", seconds):
            fused = self._fuse(found, weights, depth)
            floors = self._floors(request.kind, understood)
            matches = _matching(fused, floors)
            exact = _is_exact(found, floors, depth)
        products = matches or fused
        return Ranking(request, understood, (), products, not matches, exact, queries, left_out, seconds)

    def _understand(self, request: SearchRequest) -> UnderstoodQuery:
        if not request.interpret:
            return UnderstoodQuery(request.text, request.language or self._settings.default_language, (), ())
        return self._understanding.understand(request.text, request.language, request.as_words)

    def _fuse(self, found: RankedLegs, weights: Weights, depth: int) -> list[FusedProduct]:
        """Block of candidates after block, so that a deeper page goes on where the one before it ended."""
        products: dict[str, FusedProduct] = {}
        for end in range(self._settings.candidates, depth + self._settings.candidates, self._settings.candidates):
            block = {leg: hits[:end] for leg, hits in found.items()}
            if self._settings.fusion == "rrf":
                fused = fuse_reciprocal_ranks(block, weights, self._settings.rrf_k)
            else:
                fused = fuse_weighted(block, weights, self._settings.keyword_places)
            for product in fused:
                products.setdefault(product.product_id, product)
        return list(products.values())

    def _floors(self, kind: QueryKind, understood: UnderstoodQuery) -> Mapping[Leg, float]:
        """Whatever its filters find matches a query that is nothing but filters."""
        return self._floors_of_texts if kind is QueryKind.TEXT and understood.text.strip() else {}

    def _answer(self, asked: SearchRequest) -> SearchAnswer:
        ranking = self.rank(asked)
        request = ranking.request
        seconds = dict(ranking.seconds)
        all_wanted = request.facets or request.sort is not Sort.RELEVANCE
        page = slice(request.offset, request.offset + request.limit)
        with self._timed("documents", seconds):
            wanted = ranking.products if all_wanted else ranking.products[page]
            documents = self._index.documents([product.product_id for product in wanted])
        present = [product for product in wanted if product.product_id in documents]  # some may be deleted by now
        ordered = in_order(present, documents, request.sort)
        facets: list[Facet] = []
        if request.facets:
            with self._timed("facets", seconds):
                facets = [self._facet(field, ranking, documents) for field in request.facets]
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
            seconds=seconds,
        )

    def _facet(self, field: str, ranking: Ranking, documents: Mapping[str, Mapping[str, Any]]) -> Facet:
        """Without the conditions on the field itself, so that it says what each other choice would find."""
        request = ranking.request
        others = [condition for condition in request.filters if condition.field != field]
        if len(others) == len(request.filters):
            return count_facet(field, documents.values(), ranking.exact)
        depth = self._depth(request)
        searches = {
            leg: self._threads.submit(self._index.search, query, depth, others)
            for leg, query in ranking.queries.items()
        }
        found = {leg: search.result() for leg, search in searches.items()}
        floors = self._floors(request.kind, ranking.understood)
        matches = _matching(self._fuse(found, self._weights[request.kind], depth), floors)
        held = self._index.documents([product.product_id for product in matches])
        return count_facet(field, held.values(), _is_exact(found, floors, depth))

    def _depth(self, request: SearchRequest) -> int:
        """Whole blocks of candidates; where another order is asked for, the same for every page."""
        if request.sort is not Sort.RELEVANCE:
            return self._settings.sorted_candidates
        blocks = -(-(request.offset + request.limit) // self._settings.candidates)
        return min(blocks * self._settings.candidates, MAX_DEPTH)

    def _query(
        self, leg: Leg, request: SearchRequest, left_out: dict[Leg, str], seconds: dict[str, float]
    ) -> Query | None:
        """What to ask of one leg, or None with the reason in `left_out`."""
        try:
            if leg is Leg.KEYWORDS:
                return self._keyword_query(request)
            if leg is Leg.TEXT:
                with self._timed("encode_text", seconds):
                    return VectorQuery(TEXT_FIELD, self._text_vector(request.text))
            with self._timed("encode_image", seconds):
                return VectorQuery(IMAGE_FIELD, self._image_vector(request))
        except (_LegLeftOutError, UnusableVector) as reason:
            left_out[leg] = str(reason)
            return None

    def _keyword_query(self, request: SearchRequest) -> KeywordQuery:
        keywords = self._analyser.analyse(request.text, request.language)
        if not keywords:
            raise _LegLeftOutError("the query has no words to look up")
        return KeywordQuery(keywords)

    def _text_vector(self, text: str) -> Vector:
        _require_understood(self._text_encoder, text)
        return _lone(self._text_encoder.encode_texts([text]))

    def _image_vector(self, request: SearchRequest) -> Vector:
        """The picture, the text in the pictures' space, or the direction between both."""
        encoder = self._image_encoder
        if request.image is None:
            _require_understood(encoder, request.text)
            return _lone(encoder.encode_texts([request.text]))
        picture = _lone(encoder.encode_images([request.image]))
        if request.kind is QueryKind.PICTURE or not encoder.understands(request.text):
            return picture
        try:
            return _BOTH.fuse({"picture": picture, "text": _lone(encoder.encode_texts([request.text]))})
        except UnusableVector:
            return picture

    @contextmanager
    def _timed(self, step: str, seconds: dict[str, float]) -> Iterator[None]:
        start = perf_counter()
        try:
            yield
        finally:
            seconds[step] = perf_counter() - start
            self._histograms[step].observe(seconds[step])


def _to_search_for(request: SearchRequest, understood: UnderstoodQuery) -> SearchRequest:
    """A query that is nothing but filters is searched by its words, which then only decide the order."""
    return replace(
        request,
        text=understood.text if understood.text.strip() or request.image is not None else request.text,
        language=understood.language,
        filters=[*request.filters, *(condition for phrase in understood.phrases for condition in phrase.filters)],
    )


def _matching(products: Sequence[FusedProduct], floors: Mapping[Leg, float]) -> list[FusedProduct]:
    """Those that one leg at least vouches for."""

    def vouches(leg: Leg, hit: LegHit) -> bool:
        return hit.score is not None and hit.score >= floors.get(leg, -inf)

    return [product for product in products if any(vouches(leg, hit) for leg, hit in product.legs.items())]


def _is_exact(found: RankedLegs, floors: Mapping[Leg, float], depth: int) -> bool:
    """Whether no leg may hold more matches than it was asked for."""
    return all(len(hits) < depth or hits[-1].score < floors.get(leg, -inf) for leg, hits in found.items())


class _LegLeftOutError(Exception):
    """The leg has nothing to say to this query; the message tells the user why."""


def _require_understood(encoder: Encoder, text: str) -> None:
    if not text.strip():
        raise _LegLeftOutError("the query has no text")
    if not encoder.understands(text):
        raise _LegLeftOutError(f"{encoder.release} was not trained on this text's script")


def _lone(vectors: Vectors) -> Vector:
    vector: Vector = vectors[0]
    return vector


def _by_leg(weights: LegWeights) -> dict[Leg, float]:
    return {Leg.TEXT: weights.text, Leg.KEYWORDS: weights.keywords, Leg.IMAGE: weights.image}
