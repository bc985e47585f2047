"""Three stages on real threads: each fetch is acknowledged once, after its records are written and told."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from streams.pipeline import Pipeline
from streams.reporting import Reporter
from streams.work import Work
from tests.unit.streams.conftest import Bench, CountingEncoder, FixedRecord, product
from tests.unit.streams.publishing import FixedPublisher
from topics.publisher import MessageRefused

SOON = 30.0  # seconds; never waited for when all is well


@dataclass
class Line:
    """A running pipeline over the bench; what was acknowledged and why it ended come in by queues."""

    bench: Bench
    publisher: FixedPublisher = field(default_factory=lambda: FixedPublisher(at_once=True))
    batch_wait_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.acknowledged: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.crashes: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self.submitted = 0

    def start(self) -> Pipeline:
        bench = self.bench
        reporter = Reporter(self.publisher, bench.metrics, bench.indexer.releases, self._refused)  # type: ignore[arg-type]
        self.pipeline = Pipeline(
            bench.indexer,
            reporter,
            bench.metrics,
            self.batch_wait_seconds,
            self.crashes.put,  # type: ignore[arg-type]
        )
        self.pipeline.start()
        return self.pipeline

    def submit(self, *records: FixedRecord) -> None:
        number = self.submitted
        self.submitted += 1
        self.pipeline.submit(records, lambda: self.acknowledged.put(number))

    def take(self, count: int) -> list[int]:
        return [self.acknowledged.get(timeout=SOON) for _ in range(count)]

    def _refused(self, reason: str) -> None:
        self.crashes.put(RuntimeError(reason))


@pytest.fixture
def bench() -> Bench:
    """Its encoder takes one text at a time, so that each record is a cut of its own."""
    return Bench(CountingEncoder(batch_size=1))


@pytest.fixture
def line(bench: Bench) -> Line:
    return Line(bench)


@dataclass
class Gate:
    """A stage that tells when a work comes in, and lets it go when it is told to."""

    stage: Callable[..., Work]
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    leave: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, *arguments: object) -> Work:
        self.entered.release()
        assert self.leave.acquire(timeout=SOON)
        return self.stage(*arguments)

    def wait_until_entered(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.entered.acquire(timeout=SOON)

    def open(self) -> None:
        self.leave.release(1_000)


@pytest.fixture
def gate(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Gate]]:
    gates = []

    def closed(stage: str) -> Gate:
        gate = Gate(getattr(bench.indexer, stage))
        monkeypatch.setattr(bench.indexer, stage, gate)
        gates.append(gate)
        return gate

    yield closed
    for gate in gates:
        gate.open()


def test_every_fetch_is_acknowledged_once_and_in_order(line: Line) -> None:
    line.start()
    sizes = [1, 64, 3, 200, 7, 65, 1, 1, 128]
    for number, size in enumerate(sizes):
        line.submit(*(product(f"{number}-{position}", 1) for position in range(size)))

    assert line.take(len(sizes)) == list(range(len(sizes)))
    assert line.acknowledged.empty()
    assert line.pipeline.in_flight == 0
    assert line.bench.counted("batches_in_flight") == 0
    assert line.bench.index.count() == sum(sizes)
    assert len(line.publisher.sent) == sum(sizes)


def test_changes_to_one_product_are_applied_as_they_came(line: Line) -> None:
    line.start()
    for version in range(1, 101):
        line.submit(product("a", version, title=f"title {version}", price=version, currency="EUR"))

    line.take(100)

    assert line.bench.index.documents(["a"])["a"]["title"] == "title 100"
    assert line.bench.counted("events_total", topic="catalog.products", outcome="stale") == 0
    assert line.bench.counted("events_total", topic="catalog.products", outcome="stale") == 0


def test_a_fetch_is_written_before_it_is_acknowledged(line: Line) -> None:
    line.start()
    seen: queue.SimpleQueue[bool] = queue.SimpleQueue()

    for number in range(20):
        name = str(number)

        def acknowledge(name: str = name) -> None:
            seen.put(name in line.bench.index.documents([name]))

        line.pipeline.submit([product(name, 1)], acknowledge)

    assert all(seen.get(timeout=SOON) for _ in range(20))


def test_a_fetch_is_not_acknowledged_before_the_broker_took_its_report(line: Line, gate: Callable[[str], Gate]) -> None:
    line.publisher = FixedPublisher()
    prepare = gate("prepare")
    line.start()
    line.submit(product("a", 1))
    prepare.wait_until_entered()
    prepare.open()
    line.submit(product("b", 1))
    line.submit(product("c", 1))
    line.submit(product("d", 1))
    while len(line.publisher.sent) < 4:  # written and told, all of them
        threading.Event().wait(0.001)

    assert line.acknowledged.empty()
    assert line.pipeline.in_flight == 4
    line.publisher.acknowledge()
    assert line.take(4) == [0, 1, 2, 3]
    assert line.pipeline.in_flight == 0


def test_small_fetches_wait_for_a_full_batch_no_longer_than_they_may(line: Line, bench: Bench) -> None:
    line.batch_wait_seconds = 3_600.0
    line.start()
    for number in range(bench.encoder.batch_size):
        line.submit(product(str(number), 1))

    assert len(line.take(bench.encoder.batch_size)) == bench.encoder.batch_size
    assert bench.counted("batch_size_count", stage="encode") == 1


@pytest.mark.parametrize(
    ("slow", "goes_on", "times"), [("encode", "prepare", 3), ("write", "encode", 3), ("write", "prepare", 5)]
)
def test_a_slow_stage_does_not_stop_the_one_before_it(
    line: Line, gate: Callable[[str], Gate], slow: str, goes_on: str, times: int
) -> None:
    """While one work is in the slow stage, the next ones come as far as the queues are long."""
    held, other = gate(slow), gate(goes_on)
    other.open()
    line.start()
    for number in range(8):
        line.submit(product(str(number), 1))

    held.wait_until_entered()
    other.wait_until_entered(times)

    assert line.acknowledged.empty()
    held.open()
    assert line.take(8) == list(range(8))


def test_the_queues_are_short(line: Line, gate: Callable[[str], Gate]) -> None:
    """What is in memory stays bounded: one work in each stage, two in each queue."""
    held, prepare = gate("write"), gate("prepare")
    prepare.open()
    line.start()
    for number in range(50):
        line.submit(product(str(number), 1))
    held.wait_until_entered()
    prepare.wait_until_entered(7)

    assert not prepare.entered.acquire(timeout=0.2)
    held.open()
    line.take(50)


@pytest.mark.parametrize("stage", ["prepare", "encode", "write"])
def test_what_goes_wrong_in_a_stage_ends_the_process_and_acknowledges_nothing(
    line: Line, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = line.bench
    works = getattr(bench.indexer, stage)
    calls = iter(range(1_000))

    def fails_the_second_time(*arguments: object) -> Work:
        if next(calls) == 1:
            raise ZeroDivisionError(stage)
        work: Work = works(*arguments)
        return work

    monkeypatch.setattr(bench.indexer, stage, fails_the_second_time)
    line.start()
    for number in range(6):
        line.submit(product(str(number), 1))

    error = line.crashes.get(timeout=SOON)

    assert (type(error), str(error)) == (ZeroDivisionError, stage)
    assert line.take(1) == [0]
    assert not _another(line)
    assert line.pipeline.in_flight == 5


def test_a_report_that_cannot_be_sent_ends_the_process(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MessageRefused("too large")

    monkeypatch.setattr(line.publisher, "publish", refuse)
    line.start()
    line.submit(product("a", 1))

    assert isinstance(line.crashes.get(timeout=SOON), MessageRefused)
    assert line.acknowledged.empty()


def test_a_report_that_the_broker_refuses_ends_the_process(line: Line) -> None:
    line.publisher = FixedPublisher()
    line.start()
    line.submit(product("a", 1))
    while not line.publisher.sent:
        threading.Event().wait(0.001)
    line.publisher.fail("disk full")

    assert "disk full" in str(line.crashes.get(timeout=SOON))
    assert line.acknowledged.empty()


def test_progress_moves_with_each_finished_batch_and_each_touch(line: Line) -> None:
    pipeline = line.start()
    before = pipeline.last_progress
    line.submit(product("a", 1))
    line.take(1)
    while pipeline.last_progress == before:  # it is noted right behind the acknowledgement
        threading.Event().wait(0.001)
    after = pipeline.last_progress
    pipeline.touch()

    assert before < after <= pipeline.last_progress


def _another(line: Line) -> bool:
    try:
        line.acknowledged.get(timeout=0.2)
    except queue.Empty:
        return False
    return True


def test_a_cut_whose_time_is_up_is_still_filled_with_all_that_waits() -> None:
    bench = Bench(CountingEncoder(batch_size=64))
    cuts: list[int] = []
    entered, leave = threading.Event(), threading.Event()
    prepare = bench.indexer.prepare

    def slow_prepare(records: Sequence[FixedRecord], received_at: float) -> Work:
        cuts.append(len(records))
        entered.set()
        assert leave.wait(SOON)
        return prepare(records, received_at)

    bench.indexer.prepare = slow_prepare  # type: ignore[method-assign, assignment]
    line = Line(bench)
    line.start()
    line.submit(product("first", 1))
    assert entered.wait(SOON)
    for number in range(10):
        line.submit(*(product(f"{number}-{position}", 1) for position in range(70)))
    leave.set()

    line.take(11)

    assert cuts == [1, *[64] * 10, 60]
