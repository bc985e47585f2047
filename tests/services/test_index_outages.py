"""Milvus goes away for long, or hangs, while events flow: the worker waits, the server says so, nothing is lost."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cli.local_stack import LocalStack
from cli.settings import changed_settings
from cli.wiring import open_publisher
from index.embedded_milvus import EmbeddedMilvus
from tests.services.shop import PATIENCE, Shop, open_for_business, quick_settings, wait_until
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

OUTAGE_SECONDS = 120.0
REQUEST_SECONDS = 3.0
STALLED_SECONDS = 15  # more than two requests that time out, and the longest pause behind them
FROZEN_SECONDS = 20.0  # so that this, too, would end a worker that took it for a stall
MOST_LINES = 50


@pytest.fixture
def stack(tmp_path: Path, kafka: KafkaSettings) -> Iterator[LocalStack]:
    patience = {"worker": {"stalled_seconds": STALLED_SECONDS}, "index": {"timeout_seconds": REQUEST_SECONDS}}
    settings = changed_settings(quick_settings(tmp_path), patience)
    with LocalStack(tmp_path, settings, kafka=kafka) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


@pytest.fixture
def shop(stack: LocalStack) -> Iterator[Shop]:
    with open_publisher(stack.settings, "shop", delivery_timeout_seconds=PATIENCE) as publisher:
        yield Shop(stack.settings, publisher)


def search(stack: LocalStack) -> httpx.Response:
    return httpx.get(f"{stack.url}/v1/search", params={"q": "title"}, timeout=30)


def retries(stack: LocalStack) -> float:
    name = 'millrace_retries_total{operation="index",reason="unavailable"} '
    text = httpx.get(f"http://127.0.0.1:{stack.settings.worker.metrics_port}/metrics", timeout=30).text
    return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


def assert_all_is_well(stack: LocalStack, shop: Shop) -> None:
    shop.settle()
    assert stack.restarts == 0
    wait_until(lambda: search(stack).is_success)  # gRPC tries a lost connection again after a second or so
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()


@pytest.mark.timeout(600)
def test_two_minutes_without_milvus(stack: LocalStack, shop: Shop) -> None:
    port = urlsplit(stack.settings.index.uri).port or 0
    with open_for_business(shop, events_a_second=20):
        wait_until(lambda: search(stack).json().get("results"))
        before = [len(lines(process.log)) for process in (stack.worker, stack.server)]
        stack.milvus.kill()
        back = time.monotonic() + OUTAGE_SECONDS
        answers, slowest = set(), 0.0
        while (asked := time.monotonic()) < back:
            answer = search(stack)
            slowest = max(slowest, time.monotonic() - asked)
            answers.add((answer.status_code, answer.headers["content-type"], answer.headers.get("retry-after")))
            time.sleep(0.5)
        counted = retries(stack)
        after = [len(lines(process.log)) for process in (stack.worker, stack.server)]
        milvus = EmbeddedMilvus(stack.config.parent / "milvus", port)
    with milvus:
        assert_all_is_well(stack, shop)

    assert answers == {(503, "application/problem+json", "5")}
    assert slowest < stack.settings.index.timeout_seconds
    assert counted > 10
    assert all(now - then < MOST_LINES for then, now in zip(before, after, strict=True))
    assert any("Waiting for the index" in line for line in lines(stack.worker.log))


def test_a_milvus_that_hangs_and_wakes_up(stack: LocalStack, shop: Shop) -> None:
    with open_for_business(shop):
        wait_until(lambda: search(stack).json().get("results"))
        os.kill(stack.milvus.pid, signal.SIGSTOP)
        try:
            assert search(stack).status_code == 503
            time.sleep(FROZEN_SECONDS)
        finally:
            os.kill(stack.milvus.pid, signal.SIGCONT)
    assert_all_is_well(stack, shop)
