"""CPU of the whole indexing agent per event, with an encoder and an index that do nothing, beside plain Faust.

All read the same events from the same kind of broker in the same run, one process each, one after the other. The
agent decodes, plans, cuts, "encodes", "upserts" and publishes to catalog.indexed. `plain_faust` does the same job
event by event, as Faust's own documentation would have it; `plain_faust_loop` only loops over the raw values and does
nothing.
"""

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import faust
import numpy as np
import orjson
from PIL.Image import Image

from benchmarks.recording import record
from encoders.base import Vectors
from encoders.image_sources import ImageSource
from encoders.product_text import text_to_encode
from encoders.settings import ImageLimits, ImageSourceSettings
from index.base import (
    TEXT_FIELD,
    Applied,
    Change,
    ContentHashes,
    Filter,
    IndexedState,
    Outcome,
    ProductRow,
    Query,
    ScoredProduct,
)
from index.documents import document, keywords
from index.text_analysis import Analyser
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from streams.app import create_app
from streams.indexer import Indexer, IndexerParts
from streams.pipeline import Pipeline
from streams.reporting import Reporter
from streams.settings import WorkerSettings
from streams.worker import end_process
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS
from topics.codec import ProductCodec
from topics.embedded_broker import EmbeddedBroker
from topics.events import Product
from topics.publisher import Publisher
from topics.settings import KafkaSettings

EVENTS = {"agent": 200_000, "plain_faust": 40_000, "plain_faust_loop": 100_000}  # about as many seconds each
REPEATS = 3
LIMIT = "the agent costs at most a tenth of plain Faust doing the same job"
_PARTITIONS = 4


class NullEncoder:
    """Gives the same vector to everything."""

    release = "null"
    dimension = 8
    batch_size = 500

    def understands(self, text: str) -> bool:
        return True

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), self.dimension), self.dimension**-0.5, np.float32)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        return np.full((len(images), self.dimension), self.dimension**-0.5, np.float32)


class NullIndex:
    """Holds nothing and takes everything."""

    def __init__(self) -> None:
        self.applied = 0

    def states(self, product_ids: Sequence[str]) -> dict[str, IndexedState]:
        return {}

    def apply(self, changes: Sequence[Change]) -> list[Applied]:
        self.applied += len(changes)
        return [Applied(Outcome.WRITTEN)] * len(changes)

    def search(self, query: Query, limit: int, filters: Sequence[Filter] = ()) -> list[ScoredProduct]:
        return []

    def documents(self, product_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {}

    def count(self) -> int:
        return 0

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None


class NullAnalyser(Analyser):
    """Segmenting and stemming belong to the index, not to the stream."""

    def analyse(self, text: str, language: str = "en") -> str:
        return text


def run() -> None:
    results: dict[str, list[dict[str, float]]] = {"agent": [], "plain_faust": [], "plain_faust_loop": []}
    for _ in range(REPEATS):
        for role, measured in results.items():
            with EmbeddedBroker(_PARTITIONS) as broker:
                _fill(broker.bootstrap_servers, EVENTS[role])
                measured.append(_measure(role, broker.bootstrap_servers))
    medians = {role: _medians(measured) for role, measured in results.items()}
    cost = {role: median["cpu_us_per_event"] for role, median in medians.items()}
    result = {
        "events": EVENTS,
        "times_cheaper": round(cost["plain_faust"] / cost["agent"], 1),
        "times_cheaper_than_an_empty_loop": round(cost["plain_faust_loop"] / cost["agent"], 1),
        **medians,
    }
    record("streaming_cost", LIMIT, result)


def _fill(bootstrap_servers: str, events: int) -> None:
    """Compressed, since the embedded broker keeps 5 MiB a partition."""
    from confluent_kafka import Producer

    producer = Producer(
        {"bootstrap.servers": bootstrap_servers, "compression.type": "gzip", "linger.ms": 50, "log_level": 2}
    )
    for number in range(events):
        event = {"id": f"p{number}", "updated_at": "2026-01-01T00:00:00Z", "title": f"product {number}"}
        producer.produce(CATALOG_PRODUCTS, json.dumps(event), f"p{number}", number % _PARTITIONS)
        if number % 10_000 == 0:
            producer.flush()
    producer.flush()


def _measure(role: str, bootstrap_servers: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.streaming_cost", role, bootstrap_servers]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    measured: dict[str, float] = json.loads(output[output.rindex("{") :])
    return measured


def _medians(measured: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(float(np.median([one[name] for one in measured])), 2) for name in measured[0]}


class Meter:
    """CPU and wall time of this process from the first event to the last; prints them and ends the process."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._cpu = 0.0
        self._wall = 0.0

    def start(self) -> None:
        if not self._wall:
            self._cpu, self._wall = time.process_time(), time.perf_counter()

    def finish(self) -> NoReturn:
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        sys.stdout.write(
            json.dumps({"cpu_us_per_event": cpu / self._events * 1e6, "events_per_second": self._events / wall}) + "\n"
        )
        sys.stdout.flush()
        os._exit(0)


def _run_agent(bootstrap_servers: str) -> None:
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
    settings = WorkerSettings(fetch_max_wait_seconds=0.05)
    metrics = create_metrics(create_registry())
    index = NullIndex()
    encoder = NullEncoder()
    parts = IndexerParts(
        ProductCodec(),
        index,
        NullAnalyser(),
        encoder,
        encoder,
        ImageSource(ImageSourceSettings()),
        ImageLimits(),
        metrics,
    )
    indexer = Indexer(parts, settings.picture_fetchers)
    reporter = Reporter(Publisher(kafka, "benchmark"), metrics, indexer.releases, sys.exit)
    pipeline = Pipeline(indexer, reporter, metrics, settings.batch_wait_seconds, end_process)
    meter = Meter(EVENTS["agent"])
    submit = pipeline.submit

    def timed_submit(*arguments: Any) -> None:
        meter.start()
        submit(*arguments)

    pipeline.submit = timed_submit  # type: ignore[method-assign, assignment]
    gc.freeze()
    pipeline.start()

    def watch() -> None:
        while index.applied < EVENTS["agent"] or pipeline.in_flight:
            time.sleep(0.01)
        meter.finish()

    threading.Thread(target=watch, daemon=True).start()
    _work(create_app(settings, kafka, pipeline, end_process))


def _plain_app(bootstrap_servers: str) -> faust.App:
    return faust.App(
        "plain-faust",
        broker=f"kafka://{bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        datadir=Path(tempfile.gettempdir(), "plain-faust"),
    )


def _run_plain_faust(bootstrap_servers: str) -> None:
    app = _plain_app(bootstrap_servers)
    codec, index, encoder, analyser, meter = (
        ProductCodec(),
        NullIndex(),
        NullEncoder(),
        NullAnalyser(),
        Meter(EVENTS["plain_faust"]),
    )
    raw = {"key_type": bytes, "key_serializer": "raw", "value_type": bytes, "value_serializer": "raw"}
    indexed = app.topic(CATALOG_INDEXED, **raw)

    async def index_products(stream: Any) -> None:
        async for event in stream.events():
            meter.start()
            product = codec.decode(event.key, event.value, int(event.message.timestamp * 1000))
            if isinstance(product, Product):
                index.states([product.id])
                vector = encoder.encode_texts([text_to_encode(product)])[0]
                row = ProductRow(
                    product.id,
                    product.version,
                    document(product),
                    keywords(product, analyser),
                    ContentHashes("text", "", ""),
                    {TEXT_FIELD: vector},
                )
                index.apply([row])
                outcome = {"product_id": product.id, "version": row.version, "outcome": "indexed"}
                await indexed.send(key=event.key, value=orjson.dumps(outcome))
            if index.applied == EVENTS["plain_faust"]:
                meter.finish()

    app.agent(app.topic(CATALOG_PRODUCTS, **raw), name="plain")(index_products)
    _work(app)


def _run_plain_faust_loop(bootstrap_servers: str) -> None:
    app = _plain_app(bootstrap_servers)
    meter = Meter(EVENTS["plain_faust_loop"])

    async def loop(stream: Any) -> None:
        seen = 0
        async for _ in stream:
            meter.start()
            seen += 1
            if seen == EVENTS["plain_faust_loop"]:
                meter.finish()

    app.agent(app.topic(CATALOG_PRODUCTS, value_type=bytes, value_serializer="raw"), name="plain")(loop)
    _work(app)


def _work(app: faust.App) -> None:
    faust.Worker(app, quiet=True, loglevel="ERROR", override_logging=False).execute_from_commandline()


_ROLES = {"agent": _run_agent, "plain_faust": _run_plain_faust, "plain_faust_loop": _run_plain_faust_loop}

if __name__ == "__main__":
    _ROLES[sys.argv[1]](sys.argv[2])
