"""The matches of a search in the order for one shopper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ranking.availability import Availability
from ranking.candidates import Ranking
from ranking.fusion import FusedProduct, Leg
from ranking.kept_orders import KeptOrder, KeptOrders, list_of
from ranking.queries import SearchRequest, Sort, Visit
from ranking.rankers import Candidate, Situation
from ranking.reranking import RankedProduct, Reranker, Rules
from ranking.settings import RankingSettings


@dataclass(frozen=True, slots=True)
class PersonalOrder:
    """`ranked`: by id, of the products that were re-ranked. `note`: why none could be, else empty."""

    ranking: Ranking
    ranked: Mapping[str, RankedProduct] = field(default_factory=dict)
    note: str = ""


class SearchReranker:
    """Safe to call from several threads, as its reranker is."""

    def __init__(self, reranker: Reranker, settings: RankingSettings, orders: KeptOrders | None = None) -> None:
        self._reranker = reranker
        self._settings = settings.reranking
        self._availability = Availability(settings.availability)
        self._orders = orders or KeptOrders()

    @property
    def release(self) -> str:
        return self._reranker.release

    def in_order(self, ranking: Ranking, asked: SearchRequest) -> PersonalOrder:
        """What was found, without what the shopper bought or hid. Raises IndexUnavailable."""
        visit = asked.visit
        if visit is None or not self._settings.in_search or not ranking.products:
            return PersonalOrder(ranking)
        return self._order(ranking, asked, visit)

    def _order(self, ranking: Ranking, asked: SearchRequest, visit: Visit) -> PersonalOrder:
        """Best first where relevance decides; under another order only what is unwanted goes.

        Later pages keep to what the first one was cut from, so that what is learnt meanwhile shows no product twice and
        skips none.
        """
        request = ranking.request
        situation = Situation(
            visit.at, visit.shopper, visit.session, asked.text, asked.kind, request.language, visit.context
        )
        named = {hit.product_id for hit in ranking.found.get(Leg.IDENTIFIERS, ())}
        end = self._end(ranking) if request.sort is Sort.RELEVANCE else 0
        places = request.limit if request.offset == 0 else 0  # a draw of two pages could show a product on both
        candidates = _candidates(ranking.products[:end])
        first = self._reranker.rerank(
            situation, candidates, Rules(named, places), visit.query_id, explain=visit.explain
        )
        ranked = {} if first.note else {one.candidate.product_id: one for one in first.products}
        order = KeptOrder([one.candidate.product_id for one in first.products], first.left_out)
        order = self._begun(asked, visit, order)
        return PersonalOrder(replace(ranking, products=_in(order, ranking.products)), ranked, first.note)

    def _begun(self, asked: SearchRequest, visit: Visit, order: KeptOrder) -> KeptOrder:
        """That of the first page, which begins a list."""
        of = list_of(asked, visit.shopper, visit.session)
        if asked.offset:
            return self._orders.get(of) or order
        if visit.is_shown:
            self._orders.keep(of, order)
        return order

    def _end(self, ranking: Ranking) -> int:
        """Where the products end that are re-ranked: those that availability puts last stay where they are."""
        late = self._availability.late(ranking.found)
        depth = ranking.products[: self._settings.depth]
        return next((place for place, one in enumerate(depth) if one.product_id in late), len(depth))


def _in(order: KeptOrder, products: Sequence[FusedProduct]) -> list[FusedProduct]:
    """Those that are in the order first, then the rest of what may be shown."""
    by_id = {one.product_id: one for one in products}
    first = [by_id.pop(product_id) for product_id in order.product_ids if product_id in by_id]
    return [*first, *(one for product_id, one in by_id.items() if product_id not in order.left_out)]


def _candidates(products: Sequence[FusedProduct]) -> list[Candidate]:
    """With scores that never rise: each block of candidates is fused anew, and its scores begin anew."""
    scores = np.minimum.accumulate([one.score for one in products]).tolist() if products else []
    return [
        Candidate(one.product_id, position, score)
        for position, (one, score) in enumerate(zip(products, scores, strict=True), start=1)
    ]
