"""A backfill beside a live worker, on a real Kafka and a real Milvus: both collections end equal, neither disturbed."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cli.freshness import IndexingFollower
from cli.settings import Settings, changed_settings
from cli.wiring import index_products_lag, open_publisher
from index.embedded_milvus import EmbeddedMilvus
from monitoring.lag import GroupLag
from tests.services.shop import (
    PATIENCE,
    Shop,
    a_day_of_changes,
    bare_worker,
    open_for_business,
    quick_settings,
    wait_until,
    worker_config,
)
from topics.catalogue import CATALOG_INDEXED
from topics.clients import client_config
from topics.reader import TopicReader
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

NEXT = "products_next"
EVENTS = 3_000


@pytest.fixture
def settings(tmp_path: Path, kafka: KafkaSettings) -> Iterator[Settings]:
    with EmbeddedMilvus(tmp_path / "milvus") as milvus:
        address = {"bootstrap_servers": kafka.bootstrap_servers, "namespace": kafka.namespace}
        changes = {"kafka": address, "index": {"uri": milvus.uri}, "worker": {"metrics_port": 0}}
        yield changed_settings(quick_settings(tmp_path), changes)


def lag(settings: Settings) -> int:
    with index_products_lag(settings, NEXT) as group:
        return group.events()


def committed(settings: Settings, alias: str) -> int:
    with index_products_lag(settings, alias) as group:
        return sum(group.committed().values())


def told_by_backfill(settings: Settings) -> int:
    kafka = settings.kafka
    with GroupLag(client_config(kafka), "nobody", kafka.on_broker(CATALOG_INDEXED)) as place:
        expected = sum(partition.latest for partition in place.read().values())
    indexes: list[str | None] = []
    with TopicReader(kafka, [CATALOG_INDEXED]) as reader:

        def all_read() -> bool:
            indexes.extend(json.loads(record.value or b"").get("index") for record in reader.read(0.2))
            return len(indexes) >= expected

        wait_until(all_read)
    return indexes.count(NEXT)


def test_both_collections_end_equal_and_the_live_worker_notices_nothing(settings: Settings, tmp_path: Path) -> None:
    live_config, config = (worker_config(tmp_path / name, settings) for name in ("live", "backfill"))
    command = ("cli.main", "worker", "--from-beginning", "--alias", NEXT)
    with ExitStack() as stack:
        shop = Shop(settings, stack.enter_context(open_publisher(settings, "shop")))
        beside = Shop(changed_settings(settings, {"index": {"alias": NEXT}}), shop.publisher, shop.newest)
        follower = stack.enter_context(IndexingFollower(settings.kafka))
        live = stack.enter_context(bare_worker(live_config))
        sent = sum(1 for _ in a_day_of_changes(shop, seed=11, events=EVENTS))
        shop.settle()

        with open_for_business(shop):
            with index_products_lag(settings, NEXT) as place, bare_worker(config, command) as backfill:
                wait_until(lambda: sum(place.committed().values()) > 0)
                os.kill(backfill.pid, signal.SIGKILL)
            assert 0 < committed(settings, NEXT) < committed(settings, "")
            backfill = stack.enter_context(bare_worker(config, command))
            wait_until(lambda: "Caught up" in config.with_name("worker.log").read_text())
        shop.settle()
        wait_until(lambda: lag(settings) == 0)

        shop.assert_newest_is_searchable()
        beside.assert_newest_is_searchable()
        sent = committed(settings, "")
        assert live.poll() is None
        wait_until(lambda: sum(follower.outcomes.values()) + shop.poison >= sent)
        assert sum(follower.outcomes.values()) + shop.poison == sent  # the live group read each event once

        backfill.send_signal(signal.SIGTERM)
        assert backfill.wait(PATIENCE) == 0
        before = told_by_backfill(settings)
        shop.send("the last one", 10**9)
        shop.publisher.flush(PATIENCE)
        stack.enter_context(bare_worker(config, command))
        wait_until(lambda: lag(settings) == 0)
        assert told_by_backfill(settings) == before + 1  # it went on where it had stopped
        beside.assert_newest_is_searchable()


def test_it_keeps_out_of_a_collection_that_is_not_its_own(settings: Settings, tmp_path: Path) -> None:
    with open_publisher(settings, "shop") as publisher:
        shop = Shop(settings, publisher)
        with bare_worker(worker_config(tmp_path / "live", settings)):
            shop.send("a", 1)
            shop.settle()
        config = worker_config(tmp_path / "refused", settings)
        with bare_worker(
            config, ("cli.main", "worker", "--from-beginning", "--alias", settings.index.alias)
        ) as refused:
            assert refused.wait(PATIENCE) == 1
        assert "is index.alias, the live collection" in config.with_name("worker.log").read_text()
        assert committed(settings, settings.index.alias) == 0
