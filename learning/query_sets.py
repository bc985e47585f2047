"""Queries of one kind, by words, by picture or by both, with the ratings of products; and their runs by the search."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from PIL.Image import Image

from index.base import Filter
from learning.qrels import Judgments, RankedRun
from learning.relevance import RelevanceOptions, RelevanceReport, evaluate, measure
from ranking.fusion import Leg
from ranking.queries import MAX_DEPTH, QueryKind, SearchRequest
from ranking.search import Search

AS_SERVED = "as served"


@dataclass(frozen=True, slots=True)
class QueryPicture:
    """`load` decodes it when it is asked for, as the server would decode an upload."""

    name: str
    load: Callable[[], Image]


@dataclass(frozen=True, slots=True)
class QuerySet:
    """Queries of one kind. `systems`: which legs each configuration asks, None: all that serve.

    `measures` are names with notations of ir_measures, empty: those of text search. `own` names the product that a
    query's picture shows, which is not to be found. `pooled`: only some products were judged, so that the judged ones
    are ranked alone, too. `teaches`: weights may be learned from it; not where titles are what the queries say.
    """

    name: str
    judgments: Judgments
    systems: Mapping[str, Collection[Leg] | None] = field(default_factory=lambda: {AS_SERVED: None})
    measures: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, QueryPicture] = field(default_factory=dict)
    filters: Sequence[Filter] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    pooled: bool = False
    teaches: bool = True

    @property
    def kind(self) -> QueryKind:
        """Of all its queries."""
        if not self.pictures:
            return QueryKind.TEXT
        return QueryKind.TEXT_AND_PICTURE if any(self.judgments.texts.values()) else QueryKind.PICTURE

    def label(self, query_id: str) -> str:
        """What a person sees of the query: its words, its picture's name, or both."""
        picture = self.pictures.get(query_id)
        parts = [picture.name if picture else "", self.judgments.texts.get(query_id, "")]
        return " + ".join(part for part in parts if part)

    def request(self, query_id: str, limit: int, only: Sequence[str] | None = None) -> SearchRequest:
        """The query as a shopper asks it, or of the products `only`."""
        picture = self.pictures.get(query_id)
        filters = self.filters if only is None else (Filter("id", any_of=tuple(only)),)
        return SearchRequest(
            text=self.judgments.texts.get(query_id, ""),
            image=None if picture is None else picture.load(),
            filters=filters,
            limit=min(limit, MAX_DEPTH),
        )

    def report(self, run: RankedRun, options: RelevanceOptions) -> RelevanceReport:
        if self.measures:
            return measure(run, self.judgments, self.measures, options)
        return evaluate(run, self.judgments, options)


def full_query_run(
    search: Search,
    queries: QuerySet,
    legs: Collection[Leg] | None,
    limit: int,
    on_query: Callable[[], None] = lambda: None,
) -> RankedRun:
    """Each query over the whole index, or what of it the set's filters leave."""
    run = {}
    for query_id in queries.judgments.answerable():
        own = queries.own.get(query_id)
        found = search.rank(queries.request(query_id, limit + 1), legs).products
        run[query_id] = [(each.product_id, each.score) for each in found if each.product_id != own][:limit]
        on_query()
    return run


def judged_query_run(
    search: Search, queries: QuerySet, legs: Collection[Leg] | None, on_query: Callable[[], None] = lambda: None
) -> RankedRun:
    """Each query over its judged products only, all of them ranked."""
    run = {}
    for query_id in queries.judgments.answerable():
        rated = list(queries.judgments.ratings[query_id])
        found = search.rank(queries.request(query_id, len(rated), only=rated), legs).products
        run[query_id] = [(each.product_id, each.score) for each in found][: len(rated)]
        on_query()
    return run
