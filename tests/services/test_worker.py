"""A worker process between a real broker and a real Milvus: killed, stopped, fed with rubbish, without its index."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.freshness import IndexingFollower
from cli.local_stack import LocalStack
from cli.sample_settings import settings_file
from cli.settings import changed_settings
from cli.wiring import open_publisher
from index.embedded_milvus import EmbeddedMilvus
from tests.services.bad_input import BAD_EVENTS, ODD_PRODUCTS
from tests.services.shop import PATIENCE, Shop, a_day_of_changes, bare_worker, quick_settings, wait_until
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.embedded_broker import EmbeddedBroker

pytestmark = pytest.mark.services

EVENTS = 2_000


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    with LocalStack(tmp_path, quick_settings(tmp_path), server=False) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


@pytest.fixture
def shop(stack: LocalStack) -> Iterator[Shop]:
    with open_publisher(stack.settings, "shop") as publisher:
        yield Shop(stack.settings, publisher)


def test_a_killed_worker_loses_nothing(stack: LocalStack, shop: Shop) -> None:
    with IndexingFollower(stack.settings.kafka) as follower:
        for number in a_day_of_changes(shop, seed=1, events=EVENTS):
            if number == EVENTS // 2:
                shop.publisher.flush(PATIENCE)
                wait_until(lambda: follower.events > 0)
                os.kill(stack.worker.pid, signal.SIGKILL)  # in the middle of the stream
        shop.settle()

    assert stack.restarts == 1
    assert shop.poison > 0
    shop.assert_newest_is_searchable()
    dead = {record.key for record in shop.read(dead_letter_topic(CATALOG_PRODUCTS))}
    assert dead == {f"poison {number}".encode() for number in range(shop.poison)}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_an_index_that_ends_and_comes_back_has_missed_nothing(
    stack: LocalStack, shop: Shop, end: signal.Signals
) -> None:
    with IndexingFollower(stack.settings.kafka) as follower:
        for number in a_day_of_changes(shop, seed=2, events=EVENTS):
            if number == EVENTS // 2:
                shop.publisher.flush(PATIENCE)
                wait_until(lambda: follower.events > 0)
                os.kill(stack.milvus.pid, end)
        shop.settle()
        shop.assert_newest_is_searchable()

    assert stack.milvus.restarts == 1
    assert stack.worker.restarts == 0  # it waited


def metrics_of(stack: LocalStack) -> dict[tuple[str, tuple[str, ...]], float]:
    """Value by name and sorted label values."""
    port = stack.settings.worker.metrics_port
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def send_bad_input(shop: Shop) -> None:
    for name, (event, _) in BAD_EVENTS.items():
        shop.send_raw(name, event if isinstance(event, bytes) else json.dumps({"id": name, **event}).encode())
    for name, (fields, _) in ODD_PRODUCTS.items():
        shop.send(name, 1, **fields)
    shop.send_raw('{"payload": 5}', b"{}")
    shop.send_raw("", None)
    shop.send("the last one", 1)


def test_bad_input_becomes_dead_letters_or_is_reported_and_the_stream_goes_on(stack: LocalStack, shop: Shop) -> None:
    send_bad_input(shop)
    shop.settle()

    reasons = {
        (record.key or b"").decode(): record.headers["reason"].decode()
        for record in shop.read(dead_letter_topic(CATALOG_PRODUCTS))
    }
    expected = {name: reason for name, (_, reason) in BAD_EVENTS.items()}
    assert reasons == expected | {'{"payload": 5}': "invalid_fields", "": "missing_key"}
    shop.assert_newest_is_searchable()
    told = {record.key: json.loads(record.value or b"{}")["problems"] for record in shop.read(CATALOG_INDEXED)}
    for name, (_, problem) in ODD_PRODUCTS.items():
        assert bool(told[name.encode()]) == bool(problem), name
        assert problem in "".join(told[name.encode()])

    metrics = metrics_of(stack)
    for reason, count in Counter(reasons.values()).items():
        assert metrics["millrace_dead_letters_total", (CATALOG_PRODUCTS, reason)] == count
    for problem, count in Counter(problem for _, problem in ODD_PRODUCTS.values() if problem).items():
        assert metrics["millrace_image_failures_total", (problem,)] == count
    assert metrics["millrace_events_total", (CATALOG_PRODUCTS, "rejected")] == len(reasons)
    assert metrics["millrace_events_total", ("catalog.products", "indexed")] == len(ODD_PRODUCTS) + 1
    assert stack.restarts == 0


def test_a_lone_event_is_searchable_long_before_faust_would_have_fetched_it(stack: LocalStack, shop: Shop) -> None:
    """Faust's hard-wired wait of a fetch is 1.5 s, and the embedded broker waits it out."""
    with IndexingFollower(stack.settings.kafka) as follower:
        for number in range(1, 8):
            shop.send(f"lone {number}", number)
            wait_until(lambda number=number: follower.events == number)  # type: ignore[misc]
        ages = [follower.freshness(number).p50 for number in range(7)]

    assert median(ages) < 1.0


def test_a_worker_that_is_told_to_stop_finishes_commits_and_ends_well(tmp_path: Path) -> None:
    """By SIGTERM in the middle of the stream, by SIGINT at its end; nothing is repeated in between."""
    with EmbeddedBroker(partitions=2) as broker, EmbeddedMilvus(tmp_path / "milvus") as milvus:
        addresses = {"kafka": {"bootstrap_servers": broker.bootstrap_servers}, "index": {"uri": milvus.uri}}
        settings = changed_settings(quick_settings(tmp_path), addresses)
        config = tmp_path / "millrace.toml"
        config.write_text(settings_file(settings))
        with open_publisher(settings, "shop") as publisher, IndexingFollower(settings.kafka) as follower:
            shop = Shop(settings, publisher)
            with bare_worker(config) as worker:
                for event in a_day_of_changes(shop, seed=3, events=1_000):
                    if event == 500:
                        shop.publisher.flush(PATIENCE)
                        wait_until(lambda: follower.events > 0)
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(PATIENCE) == 0
            shop.publisher.flush(PATIENCE)
            assert 0 < shop.records_told() == 1_000 - shop.lag()  # what was told is committed

            with bare_worker(config) as worker:
                shop.settle()
                worker.send_signal(signal.SIGINT)
                assert worker.wait(PATIENCE) == 0
            assert shop.records_told() == 1_000  # nothing twice
            shop.assert_newest_is_searchable()
