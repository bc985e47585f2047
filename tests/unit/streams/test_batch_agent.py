"""An agent works on fetched batches in their order and acknowledges none before it is done."""

import queue
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from feedback.store import StoreUnavailable
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from streams.batch_agent import BatchAgent, Gathering, Heartbeat, Patience
from streams.records import Record
from tests.unit.streams.conftest import FixedRecord

PATIENCE = 10


class Worked:
    """What an agent was given, call by call; it goes on when the test lets it."""

    def __init__(self) -> None:
        self.calls: queue.Queue[list[int]] = queue.Queue()
        self.go_on = threading.Semaphore(0)
        self.acknowledged: queue.Queue[str] = queue.Queue()
        self.crashed: queue.Queue[BaseException] = queue.Queue()
        self.failure: Exception | None = None

    def work(self, records: Sequence[Record]) -> None:
        self.calls.put([record.offset for record in records])
        self.go_on.acquire()
        if self.failure is not None:
            raise self.failure

    def crash(self, error: BaseException) -> Any:
        self.crashed.put(error)  # and the thread ends

    def agent(self, **gathering: Any) -> BatchAgent:
        agent = BatchAgent("a", ("t",), self.work, Heartbeat(), self.crash, Gathering(**gathering))
        agent.start()
        return agent

    def submit(self, agent: BatchAgent, name: str, *offsets: int) -> None:
        records = [FixedRecord(None, None, offset=offset) for offset in offsets]
        agent.submit(records, lambda: self.acknowledged.put(name))


@pytest.fixture
def worked() -> Worked:
    return Worked()


def test_what_waits_is_worked_on_together_and_acknowledged_when_it_is_done(worked: Worked) -> None:
    agent = worked.agent()
    worked.submit(agent, "one", 1, 2)
    assert worked.calls.get(timeout=PATIENCE) == [1, 2]
    worked.submit(agent, "two", 3)
    worked.submit(agent, "three", 4)
    assert worked.acknowledged.empty()
    assert agent.in_flight == 3

    worked.go_on.release()
    assert worked.acknowledged.get(timeout=PATIENCE) == "one"
    assert worked.calls.get(timeout=PATIENCE) == [3, 4]
    worked.go_on.release()

    assert [worked.acknowledged.get(timeout=PATIENCE) for _ in range(2)] == ["two", "three"]


def test_no_more_is_taken_at_once_than_is_allowed(worked: Worked) -> None:
    agent = worked.agent(records=3)
    worked.submit(agent, "first", 0)
    assert worked.calls.get(timeout=PATIENCE) == [0]
    for number in range(1, 4):
        worked.submit(agent, f"{number}", number, -number)
    worked.go_on.release(3)

    assert [worked.calls.get(timeout=PATIENCE) for _ in range(2)] == [[1, -1, 2, -2], [3, -3]]


def test_it_waits_for_more_where_it_may_but_not_beyond_so_many_batches(worked: Worked) -> None:
    agent = worked.agent(seconds=PATIENCE, batches=2)
    worked.submit(agent, "one", 1)
    worked.submit(agent, "two", 2)

    assert worked.calls.get(timeout=PATIENCE / 2) == [1, 2]


def test_told_to_hurry_it_waits_for_no_more(worked: Worked) -> None:
    agent = worked.agent(seconds=10 * PATIENCE)
    agent.hurry()  # nothing is gathered yet: it is of no use later
    worked.submit(agent, "one", 1)
    agent.hurry()

    assert worked.calls.get(timeout=PATIENCE) == [1]


def test_what_goes_wrong_ends_the_process_before_anything_is_acknowledged(worked: Worked) -> None:
    worked.failure = ValueError("broken")
    agent = worked.agent()
    worked.submit(agent, "one", 1)
    worked.go_on.release()

    assert worked.crashed.get(timeout=PATIENCE) is worked.failure
    assert worked.acknowledged.empty()


def test_what_is_away_is_tried_again_and_whoever_watches_is_told() -> None:
    registry = create_registry()
    metrics = create_metrics(registry)
    failures = [StoreUnavailable("away")] * 3
    waits: list[float] = []
    told: list[bool] = []

    def attempt() -> str:
        if failures:
            raise failures.pop()
        return "done"

    patience = Patience("profile store", StoreUnavailable, metrics, lambda: told.append(True), waits.append)

    assert patience.call(attempt) == "done"
    assert len(waits) == len(told) == 3
    labels = {"operation": "profile store", "reason": "unavailable"}
    assert registry.get_sample_value("millrace_retries_total", labels) == 3


def test_what_is_wrong_is_not_tried_again() -> None:
    metrics = create_metrics(create_registry())
    patience = Patience("profile store", StoreUnavailable, metrics, lambda: None, lambda _: None)

    with pytest.raises(ZeroDivisionError):
        patience.call(lambda: 1 // 0)
