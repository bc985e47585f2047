"""Two workers in one group on a real Kafka: they join, leave, die and freeze while events stream."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from cli.local_stack import free_port
from cli.settings import changed_settings
from streams.ending import EXIT_UNEXPECTED
from tests.services.shop import (
    PATIENCE,
    Shop,
    bare_worker,
    open_for_business,
    opened_shop,
    wait_until,
    worker_config,
)
from topics.catalogue import INDEX_PRODUCTS_GROUP
from topics.clients import client_config
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

SESSION_SECONDS = 3
INDEX_SECONDS = 4
IN_FLIGHT = "millrace_batches_in_flight "
PRODUCTS = [f"p{number}" for number in range(60)]

Start = Callable[..., "Worker"]


@dataclass(frozen=True)
class Worker:
    process: "Popen[bytes]"
    metrics_port: int

    def signal_at_work(self, number: signal.Signals) -> int:
        """Sends it while there are batches in flight; gives how the worker ended."""
        wait_until(self._is_at_work)
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def _is_at_work(self) -> bool:
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30).text
        return any(float(line.split()[1]) > 0 for line in text.splitlines() if line.startswith(IN_FLIGHT))


@pytest.fixture
def shop(tmp_path: Path, kafka: KafkaSettings) -> Iterator[Shop]:
    with opened_shop(tmp_path, kafka) as shop:
        yield shop


@pytest.fixture
def start(tmp_path: Path, shop: Shop) -> Iterator[Start]:
    """Starts a worker with a group member's name of its own, or without one, and ends all of them afterwards."""
    with ExitStack() as workers:

        def start(instance_id: str = "", staged: Sequence[str] = ("cli.main", "worker")) -> Worker:
            port = free_port()
            worker = {"session_timeout_seconds": SESSION_SECONDS, "instance_id": instance_id, "metrics_port": port}
            settings = changed_settings(shop.settings, {"index": {"timeout_seconds": INDEX_SECONDS}})
            config = worker_config(tmp_path / f"worker-{port}", settings, **worker)
            return Worker(workers.enter_context(bare_worker(config, staged)), port)

        yield start


def shares(kafka: KafkaSettings) -> list[int]:
    """How many partitions each member of the group has."""
    group = kafka.on_broker(INDEX_PRODUCTS_GROUP)
    admin = AdminClient(client_config(kafka))
    try:
        described = admin.describe_consumer_groups([group])[group].result()
    except KafkaException:  # the coordinator is still being chosen
        return []
    return sorted(len(member.assignment.topic_partitions) for member in described.members if member.assignment)


def test_workers_that_join_leave_and_die_while_events_stream_lose_nothing(
    tmp_path: Path, kafka: KafkaSettings, shop: Shop, start: Start
) -> None:
    with open_for_business(shop, events_a_second=300):
        first = start()
        second = start()
        wait_until(lambda: shares(kafka) == [2, 2])
        assert second.signal_at_work(signal.SIGTERM) == 0
        third = start()
        wait_until(lambda: shares(kafka) == [2, 2])
        assert third.signal_at_work(signal.SIGKILL) == -signal.SIGKILL
        fourth = start()
        wait_until(lambda: shares(kafka) == [2, 2])
        assert first.signal_at_work(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: shares(kafka) == [4])
        assert fourth.signal_at_work(signal.SIGTERM) == 0
    with bare_worker(worker_config(tmp_path, shop.settings, metrics_port=0)):
        shop.settle()

    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()
    assert shop.events_told() == shop.sent


def send_version(shop: Shop, version: int) -> None:
    for product_id in PRODUCTS:
        shop.send(product_id, version)


@pytest.mark.parametrize(("frozen_id", "other_id"), [("", ""), ("w1", "w2"), ("w1", "w1")])
def test_a_worker_that_wakes_after_another_took_over_puts_nothing_back(
    kafka: KafkaSettings, shop: Shop, start: Start, frozen_id: str, other_id: str
) -> None:
    """It was frozen when it had compared versions and was about to write. The last pair is a worker that its
    supervisor took for dead and started again.
    """
    send_version(shop, 1)
    shop.publisher.flush(PATIENCE)
    staged = ("tests.services.staged_worker", "--at", "decided", "--signal", "STOP", "--call", "10")
    frozen = start(frozen_id, staged).process
    changed = os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert changed is not None
    assert changed.si_code == os.CLD_STOPPED
    send_version(shop, 2)
    start(other_id)
    shop.settle()
    shop.assert_newest_is_searchable()

    frozen.send_signal(signal.SIGCONT)

    if frozen_id:  # a static member that was expelled
        assert frozen.wait(PATIENCE) == EXIT_UNEXPECTED
    else:
        wait_until(lambda: shares(kafka) == [2, 2])
    shop.assert_newest_is_searchable()
    send_version(shop, 3)
    shop.settle()
    shop.assert_newest_is_searchable()
    assert shares(kafka) == ([4] if frozen_id else [2, 2])
