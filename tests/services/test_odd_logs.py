"""Logs with holes, aborted transactions, old timestamps, poison, repeats, disorder and products that Milvus refuses."""

import json
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from cli.doctor import examine
from cli.local_stack import LocalStack
from cli.wiring import index_products_lag, open_publisher
from tests.services.shop import (
    PATIENCE,
    TOO_MANY_ATTRIBUTES,
    Shop,
    a_day_of_changes,
    bare_worker,
    opened_shop,
    quick_settings,
    wait_until,
    worker_config,
)
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS
from topics.clients import client_config
from topics.events import InvalidReason, ProductIndexed
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

PARTITIONS = range(4)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, module_kafka: KafkaSettings) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    with LocalStack(folder, quick_settings(folder), server=False, kafka=module_kafka) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


@pytest.fixture(scope="module")
def shop(stack: LocalStack) -> Iterator[Shop]:
    with open_publisher(stack.settings, "shop") as publisher:
        yield Shop(stack.settings, publisher)


def assert_all_is_well(stack: LocalStack, shop: Shop) -> None:
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()
    assert stack.restarts == 0


def product(product_id: str, version: int) -> bytes:
    return json.dumps({"id": product_id, "updated_at": version, "title": f"title {version}"}).encode()


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_of_a_transaction_what_was_aborted_is_never_indexed_and_nothing_is_left_behind(
    stack: LocalStack, shop: Shop, kafka: KafkaSettings, end: str
) -> None:
    topic = stack.settings.kafka.on_broker(CATALOG_PRODUCTS)
    producer = Producer(client_config(kafka) | {"transactional.id": f"{kafka.namespace}{end}"})
    producer.init_transactions(PATIENCE)
    for partition in PARTITIONS:
        name = f"{end} {partition}"
        shop.newest[name] = json.loads(product(name, 2))
        producer.begin_transaction()
        for version in (1, 2):
            producer.produce(topic, product(name, version), name, partition)
        producer.commit_transaction(PATIENCE)
    producer.begin_transaction()
    for partition in PARTITIONS:
        name = f"{end} {partition}"
        if end == "commit":
            shop.newest[name] = json.loads(product(name, 3))
        for _ in range(20):
            producer.produce(topic, product(name, 3), name, partition)
    assert producer.flush(PATIENCE) == 0  # otherwise an abort takes back what was never sent
    if end == "commit":
        producer.commit_transaction(PATIENCE)
    else:
        producer.abort_transaction(PATIENCE)

    shop.settle()

    assert_all_is_well(stack, shop)
    with index_products_lag(stack.settings) as lag:
        assert not lag.records_wait(PARTITIONS)
    findings = {finding.check: finding for finding in examine(stack.settings)}
    assert findings["workers"].ok


def test_records_from_years_ago_are_kept_and_indexed(stack: LocalStack, shop: Shop) -> None:
    topic = stack.settings.kafka.on_broker(CATALOG_PRODUCTS)
    producer = Producer(client_config(stack.settings.kafka))
    for number in range(20):
        name = f"old {number}"
        shop.newest[name] = json.loads(product(name, 1))
        producer.produce(topic, product(name, 1), name, timestamp=number * 86_400_000)
    assert producer.flush(PATIENCE) == 0

    shop.settle()

    assert_all_is_well(stack, shop)
    on_broker = [record for record in shop.read(CATALOG_PRODUCTS) if (record.key or b"").startswith(b"old ")]
    assert len(on_broker) == 20
    ages = [ProductIndexed.model_validate_json(record.value or b"{}") for record in shop.read(CATALOG_INDEXED)]
    a_minute_ago = time.time() - 60
    assert all(one.event_at > a_minute_ago for one in ages if one.product_id.startswith("old "))


def test_repeats_disorder_stale_versions_late_events_behind_tombstones_and_poison(
    stack: LocalStack, shop: Shop
) -> None:
    """From two producers, each event by both of them, each in an order of its own."""
    rng = random.Random(4)
    histories = {f"d{number}": [version for version in range(number, 600, 60)] for number in range(60)}
    events = [(name, version) for name, versions in histories.items() for version in versions]
    told = shop.events_told()
    poison = shop.poison
    with open_publisher(stack.settings, "another shop") as publisher:
        other = Shop(stack.settings, publisher)
        for each in (shop, other):
            for name, version in rng.sample(events, len(events)):
                if version % 5 == 0:
                    each.remove(name, version)
                else:
                    each.send(name, version)
                if version % 100 == 1 and each is shop:
                    shop.send_poison()
        assert publisher.flush(PATIENCE) == 0
    for name, versions in histories.items():
        newest = max(versions)
        shop.newest[name] = {"updated_at": newest} if newest % 5 == 0 else json.loads(product(name, newest))

    shop.settle()

    assert_all_is_well(stack, shop)
    assert shop.poison - poison == 6
    assert shop.events_told() - told == len(events) + 6


def set_options(kafka: KafkaSettings, kind: ResourceType, name: str, options: dict[str, str | None]) -> None:
    """None takes an option back."""
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET if value else AlterConfigOpType.DELETE)
        for key, value in options.items()
    ]
    admin = AdminClient(client_config(kafka))
    for future in admin.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=entries)]).values():
        future.result()


@contextmanager
def eager_cleaner(kafka: KafkaSettings) -> Iterator[None]:
    """The broker may be one that others use: it is left as it was."""
    option = "log.cleaner.backoff.ms"
    brokers = [str(broker) for broker in AdminClient(client_config(kafka)).list_topics(timeout=PATIENCE).brokers]
    try:
        for broker in brokers:
            set_options(kafka, ResourceType.BROKER, broker, {option: "200"})
        yield
    finally:
        for broker in brokers:
            set_options(kafka, ResourceType.BROKER, broker, {option: None})


def compact(shop: Shop) -> None:
    """Until the broker has taken out what is superseded, everywhere but in the newest segment of each partition."""
    kafka = shop.settings.kafka
    often = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
    shop.publisher.flush(PATIENCE)
    before = len(shop.read(CATALOG_PRODUCTS))  # the cleaner may come as soon as the options allow it
    set_options(kafka, ResourceType.TOPIC, kafka.on_broker(CATALOG_PRODUCTS), often)
    with eager_cleaner(kafka):
        for number in range(1_000_000, 1_000_050):  # into a new segment of each partition
            shop.send(f"last {number}", number)
        shop.publisher.flush(PATIENCE)
        wait_until(lambda: len(shop.read(CATALOG_PRODUCTS)) < before)


def test_a_worker_that_comes_after_the_compaction_indexes_what_is_left(tmp_path: Path, kafka: KafkaSettings) -> None:
    with opened_shop(tmp_path, kafka) as shop:
        for _ in a_day_of_changes(shop, seed=5, events=2_000):
            pass
        compact(shop)
        with bare_worker(worker_config(tmp_path, shop.settings, metrics_port=0)) as worker:
            shop.settle()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0
        shop.assert_newest_is_searchable()
        shop.assert_poison_is_put_aside()
        assert shop.events_told() < shop.sent


def test_of_a_batch_with_products_that_milvus_refuses_all_others_are_indexed(
    tmp_path: Path, kafka: KafkaSettings
) -> None:
    """And of the refused ones the version before."""
    with opened_shop(tmp_path, kafka) as shop:
        for number in range(100):
            shop.send(f"p{number}", 1)
        for number in range(0, 100, 10):
            accepted = shop.newest[f"p{number}"]
            shop.send(f"p{number}", 2, attributes=TOO_MANY_ATTRIBUTES)
            shop.newest[f"p{number}"] = accepted
        shop.send("refused from the beginning", 2, attributes=TOO_MANY_ATTRIBUTES)
        del shop.newest["refused from the beginning"]
        config = worker_config(tmp_path, shop.settings, metrics_port=0)
        with bare_worker(config, ("tests.services.staged_worker", "--unchecked")) as worker:
            shop.settle()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0

        shop.assert_newest_is_searchable()
        letters = shop.dead_letters()
        assert {letter.reason for letter in letters} == {InvalidReason.INDEX_REFUSED}
        assert all("max_length" in letter.detail for letter in letters)  # as Milvus said it, not as we did
        assert len(letters) == 11
