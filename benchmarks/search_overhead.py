"""A search on the Icecat catalogue, beside encoding its query and one bare pymilvus hybrid search of the same legs.

Takes the index that `make real-data` filled. Both are asked the same queries in turns, in this process.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import AnnSearchRequest, MilvusClient, WeightedRanker

from benchmarks.recording import data_folder, record
from cli.local_stack import embedded_settings
from cli.settings import Settings, changed_settings, load_settings
from cli.wiring import Parts, open_parts
from index.base import IMAGE_FIELD, TEXT_FIELD
from index.embedded_milvus import EmbeddedMilvus
from index.milvus_schema import HAS_PREFIX, KEYWORD_WEIGHTS
from learning.qrels import RatingColumns, read_csv_ratings
from ranking.queries import SearchRequest

LIMIT = "a search at most 1.2 times (encoding + one bare pymilvus hybrid search of the same legs)"
ROUNDS = 5
_WORK = Path(".bench/real-data")
_HITS = 10


def run() -> None:
    if not (_WORK / "milvus").is_dir():
        raise FileNotFoundError(f"{_WORK} holds no index: run `make real-data` first")
    queries = list(read_csv_ratings(data_folder() / "icecat_chorus" / "ratings.csv", RatingColumns()).texts.values())
    with EmbeddedMilvus(_WORK / "milvus") as milvus:
        settings = changed_settings(embedded_settings(load_settings(), _WORK), {"index": {"uri": milvus.uri}})
        with open_parts(settings) as parts:
            parts.index.flush()
            client = MilvusClient(uri=milvus.uri)
            with closing(parts.search()) as search:
                ours, bare = _in_turns(
                    queries,
                    lambda query: search.search(SearchRequest(text=query, limit=_HITS)),
                    lambda query: _bare(client, parts, settings, query),
                )
            products = parts.index.count()
    result = {
        "products": products,
        "queries": len(queries),
        "ratio": round(float(np.median(ours) / np.median(bare)), 3),
        "search_ms": _percentiles(ours),
        "encoding_and_bare_hybrid_search_ms": _percentiles(bare),
    }
    record("search_overhead", LIMIT, result)


def _bare(client: MilvusClient, parts: Parts, settings: Settings, query: str) -> Any:
    depth = settings.ranking.candidates
    ef = {"metric_type": "IP", "params": {"ef": max(settings.index.hnsw_ef, depth)}}
    text = parts.text_encoder.encode_texts([query])[0]
    image = parts.image_encoder.encode_texts([query])[0]
    keywords = parts.analyser.analyse(query)
    legs = [
        AnnSearchRequest([text], TEXT_FIELD, ef, depth, expr=f"{HAS_PREFIX}{TEXT_FIELD} == true"),
        AnnSearchRequest([keywords], KEYWORD_WEIGHTS, {"metric_type": "BM25", "params": {}}, depth),
        AnnSearchRequest([image], IMAGE_FIELD, ef, depth, expr=f"{HAS_PREFIX}{IMAGE_FIELD} == true"),
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


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
