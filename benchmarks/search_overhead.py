"""A search with filters on the Icecat catalogue, beside encoding its query and one bare pymilvus hybrid search.

Takes the index that `make real-data` filled. Both are asked the same queries with the same legs and filters in turns,
in this process, while another one upserts 50 products a second. Then 20 shoppers search at once through HTTP.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from pymilvus import AnnSearchRequest, MilvusClient, WeightedRanker

from benchmarks.recording import data_folder, record
from benchmarks.upserts import upserts
from cli.local_settings import embedded_settings
from cli.local_stack import free_port
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings, load_settings
from cli.supervision import Process
from cli.wiring import Parts, open_parts
from index.base import IMAGE_FIELD, TEXT_FIELD, Filter, VectorSpace
from index.embedded_milvus import EmbeddedMilvus
from index.milvus_filters import expression
from index.milvus_schema import HAS_PREFIX, KEYWORD_WEIGHTS
from learning.qrels import RatingColumns, read_csv_ratings
from ranking.queries import SearchRequest

LIMIT = (
    "a search with filters while 50 products a second are upserted at most 1.15 times (encoding + one bare pymilvus "
    "hybrid search of the same legs and filters); 20 parallel shoppers without errors"
)
ROUNDS = 2
UPSERTS_PER_SECOND = 50.0
SHOPPERS = 20
SEARCHES_OF_A_SHOPPER = 15
FILTERS = [Filter("price", at_least=5.0, at_most=500.0), Filter("availability", any_of=("in_stock",))]
_WORK = Path(".bench/real-data")
_HITS = 10
_CHANGING = 2_000


def run() -> None:
    if not (_WORK / "milvus").is_dir():
        raise FileNotFoundError(f"{_WORK} holds no index: run `make real-data` first")
    queries = list(read_csv_ratings(data_folder() / "icecat_chorus" / "ratings.csv", RatingColumns()).texts.values())
    with EmbeddedMilvus(_WORK / "milvus") as milvus:
        changes = {"index": {"uri": milvus.uri}, "server": {"port": free_port()}}
        settings = changed_settings(embedded_settings(load_settings(), _WORK), changes)
        with open_parts(settings) as parts:
            parts.index.flush()
            products = parts.index.count()
            result = {"products": products, "queries": len(queries), **_measure(settings, parts, queries)}
    record("search_overhead", LIMIT, result)


def _measure(settings: Settings, parts: Parts, queries: list[str]) -> dict[str, Any]:
    spaces = [VectorSpace(encoder.release, encoder.dimension) for encoder in (parts.text_encoder, parts.image_encoder)]
    client = MilvusClient(uri=settings.index.uri)
    with closing(parts.search(parts.words())) as search:
        changing = [hit.product_id for query in queries for hit in _some(search.search, query)][:_CHANGING]
        with upserts(settings, spaces, list(dict.fromkeys(changing)), UPSERTS_PER_SECOND) as written:
            before, began = written.value, time.monotonic()
            ours, bare = _in_turns(
                queries,
                lambda query: search.search(SearchRequest(text=query, limit=_HITS, filters=FILTERS)),
                lambda query: _bare(client, parts, settings, query),
            )
            rate = (written.value - before) / (time.monotonic() - began)
            shoppers = _parallel_shoppers(settings, queries)
    return {
        "upserts_per_second": round(rate, 1),
        "ratio": round(float(np.median(ours) / np.median(bare)), 3),
        "search_ms": _percentiles(ours),
        "encoding_and_bare_hybrid_search_ms": _percentiles(bare),
        "parallel_shoppers": shoppers,
    }


def _some(search: Callable[[SearchRequest], Any], query: str) -> Any:
    return search(SearchRequest(text=query, limit=_HITS * 3)).hits


def _bare(client: MilvusClient, parts: Parts, settings: Settings, query: str) -> Any:
    depth = settings.ranking.candidates
    nearest = {"metric_type": settings.index.metric, "params": {"ef": max(settings.index.hnsw_ef, depth)}}
    text = parts.text_encoder.encode_texts([query])[0]
    image = parts.image_encoder.encode_texts([query])[0]
    keywords = parts.analyser.analyse(query)
    filtered = {field: expression(FILTERS, [f"{HAS_PREFIX}{field} == true"]) for field in (TEXT_FIELD, IMAGE_FIELD)}
    legs = [
        AnnSearchRequest([text], TEXT_FIELD, nearest, depth, expr=filtered[TEXT_FIELD]),
        AnnSearchRequest(
            [keywords], KEYWORD_WEIGHTS, {"metric_type": "BM25", "params": {}}, depth, expr=expression(FILTERS)
        ),
        AnnSearchRequest([image], IMAGE_FIELD, nearest, depth, expr=filtered[IMAGE_FIELD]),
    ]
    ranker = WeightedRanker(*[1 / len(legs)] * len(legs))
    return client.hybrid_search(settings.index.alias, legs, ranker, limit=_HITS, output_fields=["id", "document"])


def _in_turns(
    queries: Sequence[str], one: Callable[[str], object], other: Callable[[str], object]
) -> tuple[list[float], list[float]]:
    for query in queries[:10]:
        one(query)
        other(query)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for query in queries:
            for ask, spent in zip((one, other), seconds, strict=True):
                began = time.perf_counter()
                ask(query)
                spent.append(time.perf_counter() - began)
    return seconds


def _parallel_shoppers(settings: Settings, queries: list[str]) -> dict[str, Any]:
    """Each asks one query after the other through HTTP, as fast as it is answered."""
    config = _WORK / "search-overhead.toml"
    config.write_text(settings_file(settings))
    server = Process("serve", config, _WORK / "serve.log")
    address = f"http://{settings.server.host}:{settings.server.port}"
    try:
        _wait_until_ready(address)
        began = time.monotonic()
        with ThreadPoolExecutor(SHOPPERS) as shoppers:
            visits = list(shoppers.map(lambda number: _visit(address, queries[number:] + queries), range(SHOPPERS)))
        seconds = time.monotonic() - began
    finally:
        server.ask_to_stop()
        server.wait_until_stopped()
    answers = [answer for visit in visits for answer in visit]
    return {
        "shoppers": SHOPPERS,
        "searches": len(answers),
        "errors": sum(status != httpx.codes.OK for status, _ in answers),
        "searches_per_second": round(len(answers) / seconds, 1),
        "answer_ms": _percentiles([spent for _, spent in answers]),
    }


def _visit(address: str, queries: Sequence[str]) -> list[tuple[int, float]]:
    """Status and seconds of each search; 0 where none came."""
    answers: list[tuple[int, float]] = []
    asked: dict[str, str | int] = {"limit": _HITS, "price_min": 5, "price_max": 500, "availability": "in_stock"}
    with httpx.Client(base_url=address, timeout=60) as client:
        for query in queries[:SEARCHES_OF_A_SHOPPER]:
            began = time.perf_counter()
            try:
                status = client.get("/v1/search", params={**asked, "q": query}).status_code
            except httpx.HTTPError:
                status = 0
            answers.append((status, time.perf_counter() - began))
    return answers


def _wait_until_ready(address: str, timeout_seconds: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/healthz", timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server was not ready after {timeout_seconds:.0f} s: see {_WORK / 'serve.log'}")


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
