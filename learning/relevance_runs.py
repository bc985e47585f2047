"""Runs for relevance evaluation: each judged query put to a searcher, over the whole index or its judged products."""

from collections.abc import Callable, Collection, Sequence

from index.base import Filter
from learning.qrels import Judgments, RankedRun
from learning.relevance import Searcher
from ranking.fusion import Leg
from ranking.queries import MAX_DEPTH, SearchRequest
from ranking.search import Search


class LegSearcher:
    """The search that serves shoppers as a Searcher: all its legs with their weights, or some of them alone."""

    def __init__(self, search: Search, legs: Collection[Leg] | None = None) -> None:
        self._search = search
        self._legs = legs

    def rank(self, query_text: str, limit: int, only: Sequence[str] | None = None) -> list[tuple[str, float]]:
        filters = () if only is None else (Filter("id", any_of=tuple(only)),)
        request = SearchRequest(text=query_text, limit=min(limit, MAX_DEPTH), filters=filters)
        products = self._search.rank(request, self._legs).products[:limit]
        return [(product.product_id, product.score) for product in products]


def full_run(
    searcher: Searcher, judgments: Judgments, limit: int, on_query: Callable[[], None] = lambda: None
) -> RankedRun:
    """Each query over the whole index; lexically drawn judgments make this favour lexical search."""
    run = {}
    for query_id in judgments.answerable():
        run[query_id] = searcher.rank(judgments.texts[query_id], limit)
        on_query()
    return run


def judged_run(searcher: Searcher, judgments: Judgments, on_query: Callable[[], None] = lambda: None) -> RankedRun:
    """Each query over its judged products only, all of them ranked."""
    run = {}
    for query_id in judgments.answerable():
        rated = list(judgments.ratings[query_id])
        run[query_id] = searcher.rank(judgments.texts[query_id], len(rated), only=rated)
        on_query()
    return run
