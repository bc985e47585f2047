"""Search, as the server and the measurements call it: what matches, in the order and with the counts asked for."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from PIL.Image import Image

from encoders.base import Encoder, ImageEncoder
from encoders.occlusion import SimilarityMap, similarity_map
from index.base import IndexUnavailable, VectorIndex
from index.text_analysis import Analyser
from monitoring.metrics import Metrics
from ranking.availability import Availability
from ranking.candidates import Candidates, Ranking
from ranking.catalogue_words import CatalogueWords
from ranking.facets import Facet, count_facet
from ranking.fusion import Leg
from ranking.matching_terms import MatchingTerms
from ranking.ordering import in_order
from ranking.queries import SearchAnswer, SearchHit, SearchRequest, Sort, Total
from ranking.reranking import Reranker
from ranking.retrieval import Retrieval
from ranking.search_reranking import PersonalOrder, SearchReranker
from ranking.settings import RankingSettings
from ranking.similar import SimilarProducts, SimilarRequest
from ranking.steps import StepTimer, step_observers


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
        reranker: Reranker | None = None,
    ) -> None:
        """Without a `catalogue` no word of a query is corrected, and no brand comes first.

        Without a `reranker` all shoppers see the same.
        """
        self._index = index
        self._analyser = analyser
        self._image_encoder = image_encoder
        self._reranker = SearchReranker(reranker, settings) if reranker is not None else None
        self.releases = {"text": text_encoder.release, "image": image_encoder.release}
        if reranker is not None:
            self.releases["ranker"] = reranker.release
        self._availability = Availability(settings.availability)
        self._searches = metrics.searches
        self._observers = step_observers(metrics)
        self._retrieval = Retrieval(index, settings)
        self._similar = SimilarProducts(index, self._retrieval, settings)
        self._candidates = Candidates(self._retrieval, text_encoder, image_encoder, analyser, settings, catalogue)

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

    def rank(self, request: SearchRequest, legs: Collection[Leg] | None = None) -> Ranking:
        """What matches, without documents, by all legs of the query's kind or by `legs` alone.

        Each leg brings `settings.candidates` products, or whole multiples of that where the page lies deeper.
        """
        return self._candidates.rank(request, legs, StepTimer(self._observers))

    def explain(self, answer: SearchAnswer) -> SearchAnswer:
        """The same answer, its hits with the words for which the keywords leg found them."""
        terms = MatchingTerms(self._analyser, answer.text, answer.understood.language)
        return replace(answer, hits=[replace(hit, terms=terms.of(hit)) for hit in answer.hits])

    def heat_map(self, request: SearchRequest, picture: Image, is_over: Callable[[], bool]) -> SimilarityMap:
        """Where in a product's picture its similarity to the query lies.

        Raises LegLeftOut where the query has no vector among pictures, UnusableVector, OcclusionTooSlow.
        """
        timer = StepTimer(self._observers)
        query = self._candidates.picture_query(request, timer)
        with timer.step("heat_map"):
            return similarity_map(self._image_encoder, picture, query.vector, is_over)

    def similar(self, request: SimilarRequest) -> list[SearchHit] | None:
        """Products like the given one, best first, without itself; None where there is no such product.

        Raises IndexUnavailable, IndexRefused.
        """
        return self._similar.find(request)

    def _answer(self, asked: SearchRequest) -> SearchAnswer:
        timer = StepTimer(self._observers)
        personal = self._personal(self._candidates.rank(asked, None, timer), asked, timer)
        ranking = personal.ranking
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
        late = self._availability.late(ranking.found) if request.sort is Sort.RELEVANCE else {}
        return SearchAnswer(
            kind=request.kind,
            text=request.text,
            hits=[
                SearchHit(
                    position,
                    product.product_id,
                    product.score,
                    documents[product.product_id],
                    product.legs,
                    ranked=(ranked := personal.ranked.get(product.product_id)),
                    behind=ranked.behind if ranked is not None else late.get(product.product_id, ""),
                )
                for position, product in enumerate(shown, start=request.offset + 1)
            ],
            total=Total(0 if ranking.nearest else len(ranking.products), ranking.exact),
            understood=ranking.understood,
            contradictions=ranking.contradictions,
            nearest=ranking.nearest,
            facets=facets,
            left_out=ranking.left_out,
            notes=[personal.note] if personal.note else [],
            seconds=timer.seconds,
        )

    def _personal(self, ranking: Ranking, asked: SearchRequest, timer: StepTimer) -> PersonalOrder:
        if self._reranker is None:
            return PersonalOrder(ranking)
        with timer.step("rerank"):
            return self._reranker.in_order(ranking, asked)

    def _facet(self, name: str, ranking: Ranking, documents: Mapping[str, Mapping[str, Any]]) -> Facet:
        """Without the conditions on the field itself, so that it says what each other choice would find."""
        if ranking.contradictions or all(condition.field != name for condition in ranking.request.filters):
            return count_facet(name, () if ranking.nearest else documents.values(), ranking.exact)
        matches, exact = self._candidates.without(name, ranking)
        held = self._index.documents([product.product_id for product in matches])
        return count_facet(name, held.values(), exact)
