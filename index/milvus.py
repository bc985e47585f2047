"""The index in Milvus, real or lite."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

import numpy as np
import orjson
import scipy.sparse  # noqa: F401 - pymilvus imports it at its first search: threads that do so at once get half of it
from pymilvus import MilvusClient

from index.base import (
    Applied,
    Change,
    Filter,
    IndexedState,
    IndexRefused,
    IndexUnavailable,
    KeywordQuery,
    Outcome,
    PartialUpdate,
    Query,
    ScoredProduct,
    Vector,
    VectorSpace,
)
from index.decisions import decide, require_one_change_each
from index.limits import check_change
from index.milvus_collection import open_collection
from index.milvus_errors import PYMILVUS_ERRORS, is_connection_lost, is_not_loaded, translated
from index.milvus_filters import expression, ids_expression
from index.milvus_schema import HAS_PREFIX, KEYWORD_WEIGHTS, STATE_COLUMNS, Row, row_of, state_of, vector_spaces
from index.settings import CollectionClaim, IndexSettings

T = TypeVar("T")

_MAX_HITS = 16_384  # Milvus refuses to give more in one answer
_IDS_A_QUERY = 1_000
_ROWS_A_PAGE = 1_000
_GRPC = {"grpc.max_reconnect_backoff_ms": 2_000}  # else up to two minutes pass unnoticed after Milvus is back


class MilvusIndex:
    """VectorIndex behind an alias of Milvus. A version is compared and written in two steps.

    Threads of one process take turns at that. Of two processes, the one that lost its partition may still overwrite the
    newer version of the other, as long as its request was on the way when it lost it; what it compared half a time-out
    ago it does not write, but compares again.
    """

    def __init__(
        self,
        settings: IndexSettings,
        text: VectorSpace,
        image: VectorSpace | None = None,
        *,
        create: bool = False,
        claim: CollectionClaim | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """With `create`, make the collection where there is none. `clock` tells seconds and never goes back.

        Raises IndexUnavailable, or IndexRefused where the collection is missing, has another schema, holds vectors
        of another space, or is not what the `claim` says.
        """
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs a traceback for each error that it raises
        self._settings = settings
        self._clock = clock
        spaces = vector_spaces(text, image)
        self._dimensions = {name: space.dimension for name, space in spaces.items()}
        self._writing = threading.Lock()
        try:
            self._client = MilvusClient(
                uri=settings.uri,
                token=settings.token.get_secret_value(),
                db_name=settings.database,
                timeout=settings.timeout_seconds,
                grpc_options=_GRPC,
            )
            self._kind = open_collection(self._client, settings, spaces, create, claim)
        except PYMILVUS_ERRORS as error:
            raise translated(error, settings.uri) from error

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        return self._states(product_ids, "Session")

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        require_one_change_each(changes)
        results: dict[str, Applied] = {}
        for change in changes:
            try:
                check_change(change, self._dimensions)
            except IndexRefused as refusal:
                results[change.product_id] = Applied(Outcome.REFUSED, str(refusal))
        sound = [change for change in changes if change.product_id not in results]
        with self._writing:
            results |= self._compare_and_write(sound)
        return [results[change.product_id] for change in changes]

    def search(self, query: Query, limit: int, filters: Sequence[Filter] = ()) -> list[ScoredProduct]:
        if limit <= 0:
            return []
        if isinstance(query, KeywordQuery):  # a deleted product has no keywords, and no vectors either
            data: Any = query.keywords
            field, condition = KEYWORD_WEIGHTS, expression(filters)
            params: dict[str, Any] = {"metric_type": "BM25", "params": {}}
        else:
            self._check_query(query.field, query.vector.shape)
            data, field = query.vector, query.field
            params = self._kind.search_parameters(self._settings, limit)
            condition = expression(filters, [f"{HAS_PREFIX}{field} == true"])
        hits = self._ask(
            lambda: self._client.search(
                self._settings.alias,
                data=[data],
                anns_field=field,
                search_params=params,
                filter=condition,
                limit=min(limit, _MAX_HITS),
                output_fields=["availability"],  # without any milvus-lite sends whole rows
                consistency_level="Session",
                timeout=self._settings.timeout_seconds,
            )
        )
        # abs: milvus-lite gives BM25 scores with a minus sign, Milvus without.
        score = abs if isinstance(query, KeywordQuery) else self._kind.cosine
        return [
            ScoredProduct(hit["id"], float(score(hit["distance"])), hit["entity"]["availability"]) for hit in hits[0]
        ]

    def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = self._rows(product_ids, ["id", "deleted", "document"], "Session")
        return {row["id"]: _json(row["document"]) for row in rows if not row["deleted"]}

    def scan(self) -> Iterator[dict[str, Any]]:
        try:
            pages = self._client.query_iterator(
                self._settings.alias,
                batch_size=_ROWS_A_PAGE,
                filter="deleted == false",
                output_fields=["document"],
                consistency_level="Session",
                timeout=self._settings.timeout_seconds,
            )
            with closing(pages):
                while rows := pages.next():
                    yield from (_json(row["document"]) for row in rows)
        except PYMILVUS_ERRORS as error:
            raise translated(error, self._settings.uri) from error

    def vectors(self, product_ids: Sequence[str]) -> dict[str, dict[str, Vector]]:
        columns = ["deleted", *(column for name in self._dimensions for column in (name, HAS_PREFIX + name))]
        return {
            row["id"]: {name: np.asarray(row[name], np.float32) for name in self._dimensions if row[HAS_PREFIX + name]}
            for row in self._rows(product_ids, columns, "Session")
            if not row["deleted"]
        }

    def count(self) -> int:
        return self._count("") - self._count("deleted == true")  # milvus-lite builds every row that a filter finds

    def flush(self) -> None:
        timeout = self._settings.load_timeout_seconds
        self._ask(lambda: self._client.flush(self._settings.alias, timeout=timeout))

    def close(self) -> None:
        self._client.close()

    def _states(self, product_ids: Sequence[str], consistency: str) -> dict[str, IndexedState]:
        return {row["id"]: state_of(row) for row in self._rows(product_ids, STATE_COLUMNS, consistency)}

    def _compare_and_write(self, changes: Sequence[Change]) -> dict[str, Applied]:
        """Rows that name the same columns are written together."""
        write_until = self._clock() + self._settings.timeout_seconds / 2
        held = self._states([change.product_id for change in changes], "Strong")
        results = {change.product_id: Applied(decide(change, held.get(change.product_id))) for change in changes}
        alike: dict[tuple[bool, frozenset[str]], list[tuple[Change, Row]]] = defaultdict(list)
        for change in changes:
            if results[change.product_id].outcome is not Outcome.WRITTEN:
                continue
            try:
                row = row_of(change, self._dimensions)
            except IndexRefused as refusal:
                results[change.product_id] = Applied(Outcome.REFUSED, str(refusal))
            else:
                alike[isinstance(change, PartialUpdate), frozenset(row)].append((change, row))
        for (partial, _), group in alike.items():
            results |= self._write(group, partial, write_until)
        return results

    def _write(self, group: Sequence[tuple[Change, Row]], partial: bool, write_until: float) -> dict[str, Applied]:
        """What became otherwise than decided. What Milvus refuses is halved until the rows that it cannot hold stand
        alone; that takes a while, so each half is compared anew.
        """
        try:
            self._upsert([row for _, row in group], partial, write_until)
        except IndexRefused as refusal:
            changes = [change for change, _ in group]
            if len(changes) == 1:
                return {changes[0].product_id: Applied(Outcome.REFUSED, str(refusal))}
            half = len(changes) // 2
            return self._compare_and_write(changes[:half]) | self._compare_and_write(changes[half:])
        return {}

    def _upsert(self, rows: list[Row], partial: bool, write_until: float) -> None:
        def upsert() -> None:
            if self._clock() > write_until:  # this process stood still, and another may have written meanwhile
                raise IndexUnavailable("the versions that were compared are too old by now: they are read again")
            self._client.upsert(
                self._settings.alias, rows, partial_update=partial, timeout=self._settings.timeout_seconds
            )

        self._ask(upsert)

    def _rows(self, product_ids: Sequence[str], columns: list[str], consistency: str) -> Iterator[Mapping[str, Any]]:
        for start in range(0, len(product_ids), _IDS_A_QUERY):
            condition = ids_expression(product_ids[start : start + _IDS_A_QUERY])
            yield from self._ask(
                lambda condition=condition: self._client.query(  # type: ignore[misc]
                    self._settings.alias,
                    filter=condition,
                    output_fields=columns,
                    consistency_level=consistency,
                    timeout=self._settings.timeout_seconds,
                )
            )

    def _count(self, condition: str) -> int:
        rows = self._ask(
            lambda: self._client.query(
                self._settings.alias,
                filter=condition,
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=self._settings.timeout_seconds,
            )
        )
        return int(rows[0]["count(*)"])

    def _check_query(self, field: str, shape: tuple[int, ...]) -> None:
        if field not in self._dimensions:
            raise IndexRefused(f"the index has no {field}")
        if shape != (self._dimensions[field],):
            raise IndexRefused(f"a query of shape {shape} on {field} of dimension {self._dimensions[field]}")

    def _ask(self, request: Callable[[], T]) -> T:
        """Once more after a lost connection, or after loading a collection that is not loaded."""
        try:
            try:
                return request()
            except PYMILVUS_ERRORS as error:
                if is_not_loaded(error):
                    self._client.load_collection(self._settings.alias, timeout=self._settings.load_timeout_seconds)
                elif not is_connection_lost(error):
                    raise
            return request()
        except PYMILVUS_ERRORS as error:
            raise translated(error, self._settings.uri) from error


def _json(document: Any) -> dict[str, Any]:
    return dict(document) if isinstance(document, dict) else dict(orjson.loads(document))
