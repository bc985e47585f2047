"""Candidates in the order for one shopper: features and profile fetch included, on one core, by store and ranker.

Each round asks for another of 100 shoppers, who have acted upon 200 products and passed over 200 each; the catalogue
has 20,000 with vectors of 384 dimensions, and the features are those of a shop that declares none. Warm is what is warm
in a server after its first few requests: its code, its columns of products, the pages of the store that the machine
holds in memory. Nothing of a shopper is kept from one round to the next.
"""

import gc
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import ConnectionError as NotThereYet
from threadpoolctl import threadpool_limits

from benchmarks.recording import record
from benchmarks.rerank_shop import PRODUCTS, SHOPPERS, SHOWN, candidates, catalogue, fill, situation
from feedback.factory import create_store
from feedback.reading import StateReader
from feedback.settings import ProfileSettings
from learning.ranked_lists import ObservedList
from learning.ranker_training import NetworkOptions, TreeOptions, train_networks, train_trees
from monitoring.metrics import create_metrics
from ranking.attention_ranker import AttentionRanker
from ranking.availability import Availability
from ranking.blended_ranker import BlendedRanker
from ranking.features import DeclaredFeatures
from ranking.hand_set import HandSetRanker
from ranking.product_table import ProductTable
from ranking.rankers import Ranker
from ranking.reranking import Reranker, Rules
from ranking.reranking_settings import RerankingSettings
from ranking.settings import AvailabilityRules
from ranking.shop_features import HAND_SET_WEIGHTS, SHOP_FEATURES
from ranking.stock import Stock
from ranking.tree_ranker import TreeRanker

LIMIT = (
    "re-rank of 100 / 200 candidates, features and profile fetch included, on one core: p99 at most 3 / 5 ms "
    "(Metarank: 10.6 / 13.6 ms in memory, 36 / 33 ms on Redis)"
)
CANDIDATES = (100, 200)
ROUNDS = 1_000
_WARMING_ROUNDS = 20
_WAIT_SECONDS = 0.02


def run() -> None:
    torch.set_num_threads(1)
    table = catalogue()
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        stores = {kind: _measure(settings, table) for kind, settings in _settings(Path(folder))}
    record(
        "rerank_latency",
        LIMIT,
        {"products": PRODUCTS, "shoppers": SHOPPERS, "features": len(SHOP_FEATURES), "rounds": ROUNDS, **stores},
    )


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
        fill(store, settings)
        features = DeclaredFeatures(SHOP_FEATURES, table, StateReader(store, settings))
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
    gc.collect()
    gc.freeze()  # as a server does once it has started
    for round_number in range(ROUNDS + _WARMING_ROUNDS):
        asked, found = situation(round_number % SHOPPERS), candidates(rng, number)
        began, worked = time.perf_counter(), time.thread_time()
        ranked = reranker.rerank(asked, found, Rules(), f"{round_number}")
        cpu.append(time.thread_time() - worked)
        wall.append(time.perf_counter() - began)
        assert len(ranked.products) + len(ranked.left_out) >= number
        assert not ranked.note
    return {
        f"{name}_p{percentile}_ms": round(float(np.percentile(seconds[_WARMING_ROUNDS:], percentile)) * 1_000, 2)
        for name, seconds in (("wall", wall), ("cpu", cpu))
        for percentile in (50, 99)
    }


def _rankers(features: DeclaredFeatures) -> Mapping[str, Ranker]:
    """What they have learned is by chance: it takes them as long as anything else."""
    rng = np.random.default_rng(0)
    lists = []
    for number in range(60):
        seen = features.input(situation(number), candidates(rng, SHOWN))
        gains = rng.binomial(1, 0.2, SHOWN).astype(np.float32)
        lists.append(ObservedList(f"q{number}", f"{number}", 1, seen, gains, np.arange(1, SHOWN + 1)))
    trees = TreeRanker(train_trees(lists, TreeOptions()), "trees")
    network = AttentionRanker(train_networks(lists, NetworkOptions(epochs=1)), "network")
    return {
        "hand_set": HandSetRanker(HAND_SET_WEIGHTS),
        "trees": trees,
        "network": network,
        "blended": BlendedRanker([trees, network]),
    }
