"""A worker that ends at each point between reading an event and committing it, on a real Kafka: nothing is lost."""

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psutil
import pytest

from tests.services.shop import PATIENCE, Shop, a_day_of_changes, bare_worker, opened_shop, wait_until, worker_config
from topics.settings import KafkaSettings

pytestmark = pytest.mark.services

EVENTS = 400
# By then the first batches are done; each has at most 64 of the events.
POINTS = {"encode": "3", "upsert": "3", "upserted": "3", "told": "3"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, module_kafka: KafkaSettings) -> Iterator[Shop]:
    """Open for all tests: each of them is another day."""
    with opened_shop(tmp_path_factory.mktemp("shop"), module_kafka) as shop:
        yield shop


_days = count(1, EVENTS)


def a_day(shop: Shop) -> None:
    first = next(_days)
    for _ in a_day_of_changes(shop, seed=first, events=EVENTS, first=first):
        pass
    assert shop.publisher.flush(PATIENCE) == 0


def run_until_it_ends(config: Path, point: str, sent: str) -> int:
    staged = ("tests.services.staged_worker", "--at", point, "--signal", sent, "--call", POINTS[point])
    with bare_worker(config, staged) as worker:
        return worker.wait(PATIENCE)


def config_of_w1(shop: Shop, folder: Path, **worker: float) -> Path:
    return worker_config(folder, shop.settings, instance_id="w1", metrics_port=0, **worker)


def finish(shop: Shop, folder: Path) -> None:
    """By a worker that nothing happens to."""
    with bare_worker(config_of_w1(shop, folder)) as worker:
        shop.settle()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()
    assert shop.events_told() == shop.sent


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_any_point_has_committed_nothing_that_is_not_done(
    shop: Shop, tmp_path: Path, point: str
) -> None:
    a_day(shop)
    committed = shop.sent - shop.lag()

    # Between telling and committing the test wants time; before that, a commit shall follow any ack at once.
    config = config_of_w1(shop, tmp_path, commit_interval_seconds=60 if point == "told" else 0.05)
    assert run_until_it_ends(config, point, "KILL") == -signal.SIGKILL

    assert shop.sent - shop.lag() <= shop.events_told() < shop.sent
    if point == "told":
        assert shop.sent - shop.lag() == committed < shop.events_told()
    finish(shop, tmp_path)


def test_a_worker_told_to_stop_at_any_point_commits_what_it_did(shop: Shop, tmp_path: Path) -> None:
    repeats = shop.records_told() - shop.events_told()
    for point in POINTS:
        a_day(shop)

        assert run_until_it_ends(config_of_w1(shop, tmp_path), point, "TERM") == 0

        assert shop.lag() < EVENTS
        assert shop.sent - shop.lag() == shop.events_told()
    a_day(shop)
    finish(shop, tmp_path)
    assert shop.records_told() - shop.events_told() == repeats  # nothing twice


@pytest.mark.parametrize("name", ["", "w1"])  # a named one stays in the group for its session
def test_with_restart_a_worker_that_is_killed_is_back_by_itself_and_takes_its_old_place(
    shop: Shop, tmp_path: Path, name: str
) -> None:
    """Without a name, too: else the group would wait for the one that was killed, here longer than the test does."""
    config = worker_config(
        tmp_path, shop.settings, instance_id=name, metrics_port=0, session_timeout_seconds=2 * PATIENCE
    )
    with bare_worker(config, ("cli.main", "worker", "--restart")) as worker:
        for _ in range(2):
            a_day(shop)
            wait_until(lambda: shop.lag() < EVENTS)
            [child] = psutil.Process(worker.pid).children()
            child.kill()
            child.wait(PATIENCE)
        a_day(shop)  # for the last of them, and so that it has joined: only then can it leave the group
        shop.settle()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()
