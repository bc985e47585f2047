"""The broker goes away in every way a broker can, while events flow: nothing is lost, and all goes on by itself."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.freshness import IndexingFollower
from cli.local_stack import LocalStack
from cli.sample_settings import settings_file
from cli.settings import Settings, changed_settings
from cli.wiring import open_publisher
from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from streams.ending import EXIT_STALLED
from tests.services.shop import PATIENCE, Shop, bare_worker, open_for_business, quick_settings, wait_until
from topics.admin import TopicAdmin
from topics.catalogue import topics_on_broker

pytestmark = pytest.mark.services

LONG_OUTAGE_SECONDS = 30.0
STALLED_SECONDS = 10  # so that the long outage would end a worker that took it for a stall
STOP_SECONDS = 4.0
MOST_LINES = 50


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A broker that may be killed."""
    try:
        broker = LocalKafka(tmp_path_factory.mktemp("own-kafka"))
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        yield broker


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, own_kafka: LocalKafka) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    settings = changed_settings(quick_settings(folder), {"worker": {"stalled_seconds": STALLED_SECONDS}})
    with LocalStack(folder, settings, kafka=own_kafka.settings()) as stack:
        stack.wait_until_ready(PATIENCE)
        yield stack


@pytest.fixture(scope="module")
def shop(stack: LocalStack) -> Iterator[Shop]:
    with open_publisher(stack.settings, "shop", delivery_timeout_seconds=PATIENCE) as publisher:
        yield Shop(stack.settings, publisher)


def kill_and_restart(broker: LocalKafka) -> None:
    broker.kill()
    broker.start()


def restart(broker: LocalKafka) -> None:
    broker.stop()
    broker.start()


def pause_and_resume(broker: LocalKafka) -> None:
    with paused(broker):
        time.sleep(8)  # longer than the workers' session timeout


@contextmanager
def paused(broker: LocalKafka) -> Iterator[None]:
    broker.pause()
    try:
        yield
    finally:
        broker.resume()


@contextmanager
def away(broker: LocalKafka) -> Iterator[None]:
    broker.kill()
    try:
        yield
    finally:
        broker.start()


def searches(stack: LocalStack) -> bool:
    try:
        return httpx.get(f"{stack.url}/v1/search", params={"q": "title"}, timeout=10).is_success
    except httpx.TransportError:
        return False


def put(stack: LocalStack, shop: Shop, product_id: str) -> httpx.Response:
    product = {"title": product_id, "updated_at": 1}
    shop.newest[product_id] = product
    return httpx.put(f"{stack.url}/v1/products/{product_id}", json=product, timeout=30)


def apart(stack: LocalStack, worker: dict[str, Any]) -> Settings:
    """On the same broker and Milvus, with topics, group and collection of its own."""
    kafka = stack.settings.kafka.model_copy(update={"namespace": "apart."})
    TopicAdmin(kafka).apply(topics_on_broker(kafka))
    settings = stack.settings.model_copy(update={"kafka": kafka})
    return changed_settings(settings, {"index": {"alias": "apart"}, "worker": {"metrics_port": 0, **worker}})


def started_in_vain(config: Path) -> tuple[int, str]:
    """How a worker ends that finds no broker, and the last that it says."""
    with bare_worker(config) as worker:
        code = worker.wait(PATIENCE)
    return code, config.with_name("worker.log").read_text().splitlines()[-1]


class Logs:
    """What the processes of a stack have logged since this was made."""

    def __init__(self, stack: LocalStack) -> None:
        self._logs = [stack.worker.log, stack.server.log]
        self._before = self._lines()

    def new_lines(self) -> list[int]:
        return [now - before for now, before in zip(self._lines(), self._before, strict=True)]

    def _lines(self) -> list[int]:
        return [len(log.read_text().splitlines()) for log in self._logs]


def assert_nothing_lost(shop: Shop) -> None:
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()


@pytest.mark.parametrize("disturb", [kill_and_restart, restart, pause_and_resume])
def test_a_short_absence_of_the_broker_loses_nothing_and_ends_no_process(
    own_kafka: LocalKafka, stack: LocalStack, shop: Shop, disturb: Callable[[LocalKafka], None]
) -> None:
    restarts = stack.restarts
    with open_for_business(shop):
        wait_until(lambda: shop.publisher.flush(0) == 0)
        disturb(own_kafka)
        time.sleep(1)
    shop.settle()

    assert stack.restarts == restarts
    assert_nothing_lost(shop)


def test_in_thirty_seconds_without_a_broker_searches_go_on_and_what_was_accepted_stays(
    own_kafka: LocalKafka, stack: LocalStack, shop: Shop
) -> None:
    """The server is killed, too, and comes back while there is no broker."""
    restarts, logs = stack.worker.restarts, Logs(stack)
    assert put(stack, shop, "put before").status_code == 202
    with open_for_business(shop):
        with away(own_kafka):
            ends = time.monotonic() + LONG_OUTAGE_SECONDS
            os.kill(stack.server.pid, signal.SIGKILL)
            wait_until(lambda: searches(stack))
            refused = put(stack, shop, "refused")
            while time.monotonic() < ends:
                assert searches(stack)
                time.sleep(1)
        assert all(lines < MOST_LINES for lines in logs.new_lines())
    shop.settle()
    assert put(stack, shop, "refused").status_code == 202  # the same again, as a client does on 503
    shop.settle()

    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0
    assert stack.worker.restarts == restarts
    assert_nothing_lost(shop)


def test_a_worker_told_to_stop_while_the_broker_is_away_ends_in_time(
    own_kafka: LocalKafka, stack: LocalStack, tmp_path: Path
) -> None:
    settings = apart(stack, {"stop_seconds": STOP_SECONDS})
    config = tmp_path / "millrace.toml"
    config.write_text(settings_file(settings))
    with open_publisher(settings, "shop", delivery_timeout_seconds=PATIENCE) as publisher:
        shop = Shop(settings, publisher)
        with open_for_business(shop), bare_worker(config) as worker, IndexingFollower(settings.kafka) as follower:
            wait_until(lambda: follower.events > 0)
            with away(own_kafka):
                worker.send_signal(signal.SIGTERM)
                asked = time.monotonic()
                assert worker.wait(PATIENCE) == EXIT_STALLED
                took = time.monotonic() - asked
                failed, said = started_in_vain(config)

        assert STOP_SECONDS <= took < STOP_SECONDS + 5
        assert failed == 1
        assert f"at {settings.kafka.bootstrap_servers}" in said
        with bare_worker(config):
            shop.settle()
        assert_nothing_lost(shop)
