"""Everything at once, from a seed: `python -m tests.services.chaos --seed 1 --minutes 5`.

Two workers, Milvus and a broker are killed, stopped and frozen, and a third worker comes and goes, while two producers
send changes, repeats, stale versions, tombstones, poison, products that the index refuses and transactions that are
aborted. In the end everything is up again, and what the index holds must be the newest of all.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from cli.local_stack import free_port
from cli.settings import Settings, changed_settings
from cli.supervision import Process
from cli.wiring import index_products_lag, open_publisher
from deploy.kafka.broker import LocalKafka
from index.embedded_milvus import EmbeddedMilvus
from monitoring.lag import LagUnavailable
from tests.services.chaos_traffic import abort_a_transaction, traffic
from tests.services.shop import PRODUCTS, Shop, bare_worker, quick_settings, wait_until, worker_config
from topics.admin import TopicAdmin
from topics.catalogue import topics_on_broker
from topics.publisher import Publisher

WORKERS = 2
_ASSIGNED = "millrace_partitions_assigned "
_FEWEST_EVENTS_A_SECOND = 20  # of about 60, on a machine that does much else
_LONGEST_ACT_SECONDS = 30.0
_RECOVERY_SECONDS = 180.0
_DELIVERY_SECONDS = 900.0


@dataclass
class Chaos:
    """The parts, and what may happen to them. `rng` decides everything; the clock only how much of it happens."""

    rng: random.Random
    broker: LocalKafka
    milvus: EmbeddedMilvus
    folder: Path
    settings: Settings
    workers: list[Process]
    metrics_ports: list[int]
    publishers: list[Publisher]
    happened: Counter[str] = field(default_factory=Counter)

    def acts(self) -> list[Callable[[], None]]:
        return [
            self.kill_a_worker,
            self.stop_a_worker,
            self.freeze_a_worker,
            self.freeze_a_worker_past_its_session,
            self.let_a_worker_join_and_leave,
            self.kill_milvus,
            self.restart_milvus,
            self.freeze_milvus,
            self.kill_the_broker,
            self.stop_the_broker,
            self.freeze_the_broker,
            self.kill_everything,
            self.abort_a_transaction,
        ]

    def kill_a_worker(self) -> None:
        self._signal(self.rng.choice(self.workers), signal.SIGKILL)

    def stop_a_worker(self) -> None:
        self._signal(self.rng.choice(self.workers), signal.SIGTERM)

    def freeze_a_worker(self) -> None:
        self._freeze(self.rng.uniform(0.5, 3))

    def freeze_a_worker_past_its_session(self) -> None:
        self._freeze(self.settings.worker.session_timeout_seconds + self.rng.uniform(1, 5))

    def let_a_worker_join_and_leave(self) -> None:
        config = worker_config(self.folder / "guest", self.settings, metrics_port=0)
        with bare_worker(config) as guest:
            time.sleep(self.rng.uniform(5, 10))
            guest.send_signal(signal.SIGTERM)
            guest.wait(_RECOVERY_SECONDS)

    def kill_milvus(self) -> None:
        self.milvus.kill()
        self._start_milvus()

    def restart_milvus(self) -> None:
        self.milvus.stop()
        self._start_milvus()

    def freeze_milvus(self) -> None:
        os.kill(self.milvus.pid, signal.SIGSTOP)
        time.sleep(self.rng.uniform(0.5, 8))
        os.kill(self.milvus.pid, signal.SIGCONT)

    def kill_the_broker(self) -> None:
        self.broker.kill()
        time.sleep(self.rng.uniform(0, 6))
        self.broker.start()

    def stop_the_broker(self) -> None:
        self.broker.stop()
        time.sleep(self.rng.uniform(0, 6))
        self.broker.start()

    def freeze_the_broker(self) -> None:
        self.broker.pause()
        time.sleep(self.rng.uniform(0.5, 8))
        self.broker.resume()

    def kill_everything(self) -> None:
        for worker in self.workers:
            self._signal(worker, signal.SIGKILL)
        self.milvus.kill()
        self.broker.kill()
        self.broker.start()
        self._start_milvus()

    def abort_a_transaction(self) -> None:
        abort_a_transaction(self.settings, f"p{self.rng.randrange(PRODUCTS)}")

    def _start_milvus(self) -> None:
        time.sleep(self.rng.uniform(0, 6))
        self.milvus = EmbeddedMilvus(self.folder / "milvus", _port(self.settings.index.uri))

    def _freeze(self, seconds: float) -> None:
        worker = self.rng.choice(self.workers)
        pid = worker.pid
        self._signal(worker, signal.SIGSTOP)
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _signal(self, worker: Process, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it is just being restarted
            os.kill(worker.pid, number)


def run(seed: int, seconds: float, folder: Path, say: Callable[[str], None]) -> None:
    """Raises AssertionError where anything is lost, stale, twice in the dead letters for no reason, or stuck."""
    with _everything(seed, folder) as (chaos, shop):
        with traffic(shop, chaos.publishers, random.Random(seed + 1)):
            disturb(chaos, seconds, say)
        assert shop.sent > seconds * _FEWEST_EVENTS_A_SECOND
        assert chaos.happened.total() > seconds / _LONGEST_ACT_SECONDS
        say("everything may recover now")
        recovered = recover(shop, chaos)
        for number in range(20):  # whoever is left must still be at work
            shop.send(f"after the chaos {number}", 1)
        recover(shop, chaos)
        judge(shop, chaos)
        say(
            f"seed {seed}: {shop.sent} events, {len(shop.newest)} products, {shop.poison} poison, "
            f"{sum(worker.restarts for worker in chaos.workers)} restarts of workers, "
            f"recovered in {recovered:.1f} s: nothing lost, nothing stale. {dict(chaos.happened)}"
        )


def disturb(chaos: Chaos, seconds: float, say: Callable[[str], None]) -> None:
    """Each act once, in an order that the seed decides, and again, until the time is over."""
    ends = time.monotonic() + seconds
    acts: list[Callable[[], None]] = []
    while time.monotonic() < ends:
        time.sleep(chaos.rng.uniform(0.5, 3))
        acts = acts or chaos.rng.sample(chaos.acts(), len(chaos.acts()))
        act = acts.pop()
        chaos.happened[act.__name__] += 1
        say(f"{ends - time.monotonic():5.0f} s left: {act.__name__.replace('_', ' ')}")
        act()


def recover(shop: Shop, chaos: Chaos) -> float:
    """Seconds until every record is committed."""
    began = time.monotonic()
    for publisher in chaos.publishers:
        assert publisher.flush(_RECOVERY_SECONDS) == 0, "the broker takes nothing"
    assert shop.lost == []
    with index_products_lag(shop.settings) as lag:
        while True:
            try:
                if not lag.records_wait(lag.read()):
                    return time.monotonic() - began
            except LagUnavailable:
                pass
            logs = [str(worker.log) for worker in chaos.workers]
            assert time.monotonic() - began < _RECOVERY_SECONDS, f"stuck, see {logs}"
            time.sleep(0.1)


def judge(shop: Shop, chaos: Chaos) -> None:
    shop.assert_newest_is_searchable()
    shop.assert_poison_is_put_aside()
    # A worker that has just been started has none yet; a zombie never has any.
    wait_until(lambda: sum(map(_partitions, chaos.metrics_ports)) == chaos.settings.kafka.partitions)


@contextmanager
def _everything(seed: int, folder: Path) -> Iterator[tuple[Chaos, Shop]]:
    with ExitStack() as exits:
        broker = exits.enter_context(LocalKafka(folder / "kafka"))
        milvus = EmbeddedMilvus(folder / "milvus")
        settings = changed_settings(quick_settings(folder), {"index": {"uri": milvus.uri}})
        settings = settings.model_copy(update={"kafka": broker.settings()})
        TopicAdmin(settings.kafka).apply(topics_on_broker(settings.kafka))
        workers, ports = zip(*(_worker(folder, settings, number) for number in range(WORKERS)), strict=True)
        publishers = [
            exits.enter_context(open_publisher(settings, f"shop-{number}", _DELIVERY_SECONDS)) for number in range(2)
        ]
        chaos = Chaos(random.Random(seed), broker, milvus, folder, settings, list(workers), list(ports), publishers)
        exits.callback(lambda: chaos.milvus.stop())
        for worker in workers:
            exits.callback(worker.wait_until_stopped)
            exits.callback(worker.ask_to_stop)
        yield chaos, Shop(settings, publishers[0])


def _worker(folder: Path, settings: Settings, number: int) -> tuple[Process, int]:
    home = folder / f"worker-{number}"
    port = free_port()
    config = worker_config(home, settings, instance_id=f"chaos-{number}", metrics_port=port)
    return Process("worker", config, home / "worker.log"), port


def _partitions(metrics_port: int) -> int:
    try:
        text = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=30).text
    except httpx.HTTPError:
        return 0
    return sum(int(float(line.split()[1])) for line in text.splitlines() if line.startswith(_ASSIGNED))


def _port(uri: str) -> int:
    port = urlsplit(uri).port
    assert port is not None
    return port


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.services.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--folder", type=Path, help="where data and logs stay for a look afterwards; default: nowhere")
    chosen = parser.parse_args()

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    with ExitStack() as exits:
        folder = chosen.folder or Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="millrace-chaos-")))
        run(chosen.seed, chosen.minutes * 60, folder, say)


if __name__ == "__main__":
    main()
