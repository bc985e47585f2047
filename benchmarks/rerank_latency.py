"""Candidates in the order for one shopper: features and profile fetch included, on one core, by store and ranker.

The shopper has acted upon 200 products and passed over 200; the catalogue has 20,000 with vectors of 384 dimensions.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import ConnectionError as NotThereYet

from benchmarks.recording import record
from feedback.factory import create_store
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from feedback.updating import ProfileUpdater
from learning.ranked_lists import ObservedList
from learning.ranker_training import NetworkOptions, TreeOptions, train_networks, train_trees
from monitoring.metrics import create_metrics
from ranking.attention_ranker import AttentionRanker
from ranking.availability import Availability
from ranking.blended_ranker import BlendedRanker
from ranking.feature_settings import (
    AffinityFeature,
    ClosenessFeature,
    CoClickFeature,
    Feature,
    ImpressionsFeature,
    LiftFeature,
    NumberFeature,
    PositionFeature,
    RateFeature,
    ScoreFeature,
    SeenFeature,
)
from ranking.features import DeclaredFeatures
from ranking.hand_set import HandSetRanker
from ranking.product_table import ProductTable, declared_table
from ranking.rankers import Candidate, Ranker, Situation
from ranking.reranking import Reranker, Rules
from ranking.reranking_settings import RerankingSettings
from ranking.settings import AvailabilityRules
from ranking.stock import Stock
from ranking.tree_ranker import TreeRanker
from topics.feedback import JoinedList, ListAction, ShownProduct

LIMIT = (
    "re-rank of 100 / 200 candidates, features and profile fetch included, on one core: p99 at most 3 / 5 ms "
    "(Metarank: 10.6 / 13.6 ms in memory, 36 / 33 ms on Redis)"
)
CANDIDATES = (100, 200)
ROUNDS = 300
PRODUCTS = 20_000
DIMENSIONS = 384
FEATURES: Sequence[Feature] = (
    ScoreFeature(name="score"),
    PositionFeature(name="position"),
    RateFeature(name="click_rate"),
    RateFeature(name="purchase_rate", action="purchase"),
    RateFeature(name="click_rate_in_class", of="query"),
    LiftFeature(name="lift"),
    ImpressionsFeature(name="impressions"),
    SeenFeature(name="seen"),
    AffinityFeature(name="brand_affinity", field="brand"),
    AffinityFeature(name="category_affinity", field="categories"),
    AffinityFeature(name="colour_affinity", field="colour"),
    ClosenessFeature(name="price_closeness", field="price", scale="log"),
    NumberFeature(name="price", field="price", scale="log"),
    NumberFeature(name="rating", field="rating"),
    CoClickFeature(name="co_clicks"),
)
_NOW = 1_795_000_000.0
_TEXT = "lamp"
_SHOPPER, _SESSION = "shopper", "session"
_SHOWN = 50
_LISTS_OF_SESSION = 10
_LISTS_AT_ONCE = 50
_WAIT_SECONDS = 0.02


def run() -> None:
    torch.set_num_threads(1)
    table = _catalogue()
    with tempfile.TemporaryDirectory() as folder:
        stores = {kind: _measure(settings, table) for kind, settings in _settings(Path(folder))}
    record("rerank_latency", LIMIT, {"products": PRODUCTS, "features": len(FEATURES), "rounds": ROUNDS, **stores})


def _settings(folder: Path) -> Iterator[tuple[str, ProfileSettings]]:
    yield "memory", ProfileSettings(kind="memory")
    yield "sqlite", ProfileSettings(kind="sqlite", path=folder / "profiles.sqlite")
    if shutil.which("redis-server") is not None:
        with _redis(folder) as url:
            yield "redis", ProfileSettings.model_validate({"kind": "redis", "url": url})


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    url = f"unix://{folder}/redis.sock"
    options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--logfile", "redis.log"]
    server = subprocess.Popen(["redis-server", *options], cwd=folder)
    try:
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, tries: int = 500) -> None:
    with Redis.from_url(url) as client:
        for _ in range(tries):
            try:
                client.ping()
            except NotThereYet:
                time.sleep(_WAIT_SECONDS)
            else:
                return
    raise RuntimeError(f"no Redis answered at {url}")


def _measure(settings: ProfileSettings, table: ProductTable) -> Mapping[str, Any]:
    store = create_store(settings)
    try:
        _fill(store, settings)
        features = DeclaredFeatures(FEATURES, table, StateReader(store, settings))
        return {
            name: {str(number): _timed(_reranker(features, ranker), number) for number in CANDIDATES}
            for name, ranker in _rankers(features).items()
        }
    finally:
        store.close()


def _reranker(features: DeclaredFeatures, ranker: Ranker) -> Reranker:
    availability = Availability(AvailabilityRules())
    return Reranker(features, ranker, RerankingSettings(), availability, Stock(), create_metrics(CollectorRegistry()))


def _timed(reranker: Reranker, number: int) -> dict[str, float]:
    rng = np.random.default_rng(number)
    wall, cpu = [], []
    for round_number in range(ROUNDS + 20):
        candidates = _candidates(rng, number)
        began, worked = time.perf_counter(), time.thread_time()
        ranked = reranker.rerank(_situation(_SHOPPER), candidates, Rules(), f"{round_number}")
        cpu.append(time.thread_time() - worked)
        wall.append(time.perf_counter() - began)
        assert len(ranked.products) + len(ranked.left_out) >= number
        assert not ranked.note
    return {
        f"{name}_p{percentile}_ms": round(float(np.percentile(seconds[20:], percentile)) * 1_000, 2)
        for name, seconds in (("wall", wall), ("cpu", cpu))
        for percentile in (50, 99)
    }


def _rankers(features: DeclaredFeatures) -> Mapping[str, Ranker]:
    """What they have learned is by chance: it takes them as long as anything else."""
    rng = np.random.default_rng(0)
    lists = []
    for number in range(60):
        seen = features.input(_situation(f"shopper-{number % 40}"), _candidates(rng, _SHOWN))
        gains = rng.binomial(1, 0.2, _SHOWN).astype(np.float32)
        lists.append(ObservedList(f"q{number}", _SHOPPER, 1, seen, gains, np.arange(1, _SHOWN + 1)))
    trees = TreeRanker(train_trees(lists, TreeOptions()), "trees")
    network = AttentionRanker(train_networks(lists, NetworkOptions(epochs=1)), "network")
    return {
        "hand_set": HandSetRanker({"score": 1.0, "click_rate": 0.2, "brand_affinity": 1.0}),
        "trees": trees,
        "network": network,
        "blended": BlendedRanker([trees, network]),
    }


def _situation(shopper: str) -> Situation:
    return Situation(_NOW + 1, shopper, _SESSION, _TEXT)


def _candidates(rng: np.random.Generator, number: int) -> list[Candidate]:
    products = rng.choice(PRODUCTS, number, replace=False).tolist()
    return [Candidate(f"p{product}", place, 1 / place) for place, product in enumerate(products, start=1)]


def _catalogue() -> ProductTable:
    rng = np.random.default_rng(1)
    table = declared_table(FEATURES)
    table.learn(
        {
            "id": f"p{number}",
            "brand": f"brand {rng.integers(500)}",
            "categories": [f"category {one}" for one in rng.integers(200, size=3)],
            "price": float(rng.lognormal(3)),
            "rating": float(rng.uniform(1, 5)),
            "attributes": {"colour": f"colour {rng.integers(20)}"},
        }
        for number in range(PRODUCTS)
    )
    vectors: NDArray[np.float32] = rng.normal(size=(PRODUCTS, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table.learn_vectors({f"p{number}": vector for number, vector in enumerate(vectors)})
    return table


def _fill(store: ProfileStore, settings: ProfileSettings) -> None:
    """Every product has been shown, and has co-clicks; one shopper has acted upon 200 products and passed over 200."""
    updater = ProfileUpdater(store, settings, lambda: _NOW)
    order = np.random.default_rng(2).permutation(PRODUCTS).tolist()
    lists = [
        _list(number, f"shopper-{number // _LISTS_OF_SESSION}", order[number * _SHOWN : (number + 1) * _SHOWN], 5)
        for number in range(PRODUCTS // _SHOWN)
    ]
    lists += [_list(1_000 + number, _SHOPPER, order[number * 20 : (number + 1) * 20], 10) for number in range(20)]
    for start in range(0, len(lists), _LISTS_AT_ONCE):
        updater.apply(lists[start : start + _LISTS_AT_ONCE])


def _list(number: int, shopper: str, products: Sequence[int], clicked: int) -> JoinedList:
    at = _NOW - 3_600 + number
    return JoinedList(
        query_id=f"q{number}",
        revision=1,
        shopper=shopper,
        session=_SESSION,
        at=at,
        text=_TEXT,
        shown=tuple(ShownProduct(product_id=f"p{one}", position=place) for place, one in enumerate(products, start=1)),
        actions=tuple(
            ListAction(event_id=f"{number}-{one}", action="click", product_id=f"p{one}", at=at + place)
            for place, one in enumerate(products[:clicked], start=1)
        ),
    )
