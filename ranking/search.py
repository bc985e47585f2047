"""Search: encode the query, ask each leg, fuse what they find, fetch the page's documents."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

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
from ranking.fusion import FusedProduct, Leg, fuse_reciprocal_ranks, fuse_weighted
from ranking.queries import MAX_DEPTH, QueryKind, SearchAnswer, SearchHit, SearchRequest
from ranking.settings import LegWeights, RankingSettings

STEPS = ("encode_text", "encode_image", "retrieve", "fuse", "documents")
# Keywords need no encoder: the index looks them up while the encoders work. Each later leg overlaps in the same way.
_ASKING_ORDER = (Leg.KEYWORDS, Leg.TEXT, Leg.IMAGE)
_THREADS = 64
_BOTH = WeightedFusion({"picture": 1, "text": 1})


@dataclass(frozen=True, slots=True)
class Ranking:
    """Products, best first; why a leg was not asked; the seconds of each step."""

    products: Sequence[FusedProduct]
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
        """The first `offset + limit` products without documents, by all legs of the query's kind or by `legs` alone.

        Each leg brings `settings.candidates` products, or whole multiples of that where the page lies deeper.
        """
        weights = self._weights[request.kind]
        if legs is not None:
            weights = {leg: weight or 1.0 for leg, weight in weights.items() if leg in legs}
        page_end = request.offset + request.limit
        depth = self._depth(page_end)
        left_out: dict[Leg, str] = {}
        seconds: dict[str, float] = {}
        searches: dict[Leg, Future[list[ScoredProduct]]] = {}
        for leg in _ASKING_ORDER:
            if weights.get(leg, 0.0) > 0 and (query := self._query(leg, request, left_out, seconds)) is not None:
                searches[leg] = self._threads.submit(self._index.search, query, depth, request.filters)
        with self._timed("retrieve", seconds):
            found = {leg: search.result() for leg, search in searches.items()}
        with self._timed("fuse", seconds):
            if self._settings.fusion == "rrf":
                products = fuse_reciprocal_ranks(found, weights, self._settings.rrf_k, page_end)
            else:
                products = fuse_weighted(found, weights, self._settings.keyword_places, page_end)
        return Ranking(products, left_out, seconds)

    def _answer(self, request: SearchRequest) -> SearchAnswer:
        ranking = self.rank(request)
        page = ranking.products[request.offset :]
        seconds = dict(ranking.seconds)
        with self._timed("documents", seconds):
            documents = self._index.documents([product.product_id for product in page])
        hits = [
            SearchHit(position, product.product_id, product.score, documents[product.product_id], product.legs)
            for position, product in enumerate(page, start=request.offset + 1)
            if product.product_id in documents  # deleted since it was found
        ]
        return SearchAnswer(request.kind, hits, ranking.left_out, seconds)

    def _depth(self, page_end: int) -> int:
        """Whole blocks of candidates, so that the pages within one block are cut from the same list."""
        blocks = -(-page_end // self._settings.candidates)
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
        keywords = self._analyser.analyse(request.text, request.language or self._settings.default_language)
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
