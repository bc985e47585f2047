"""When a sender must wait, when it may go on, and when it gives up."""

from collections.abc import Mapping

import pytest

from topics.backlog import Backlog, BacklogStalled


class Consumers:
    """Commits what `plan` says, one entry each time somebody waits."""

    def __init__(self, plan: list[dict[int, int]] | None = None) -> None:
        self.now = 0.0
        self.waits = 0
        self._offsets: dict[int, int] = {}
        self._plan = plan or []

    def committed(self) -> Mapping[int, int]:
        return dict(self._offsets)

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits += 1
        if self._plan:
            self._offsets |= self._plan.pop(0)


def backlog(limit: int, consumers: Consumers) -> Backlog:
    return Backlog(limit, consumers.committed, consumers.clock, consumers.wait, patience_seconds=5, group="indexers")


def test_messages_within_the_limit_go_at_once() -> None:
    consumers = Consumers()
    room = backlog(100, consumers)

    room.make_room(50)
    room.delivered(0, 0, 50)
    room.make_room(50)

    assert consumers.waits == 0


def test_the_fullest_partition_counts_with_what_is_in_flight() -> None:
    consumers = Consumers([{}, {1: 1}])
    room = backlog(100, consumers)
    room.make_room(60)
    room.delivered(1, 0, 60)
    room.make_room(30)

    room.make_room(30)

    assert consumers.waits == 2


def test_a_failed_message_makes_room() -> None:
    consumers = Consumers()
    room = backlog(100, consumers)
    room.make_room(80)
    room.failed(80)
    room.make_room(80)

    assert consumers.waits == 0


def test_a_message_larger_than_the_limit_goes_when_nothing_else_waits() -> None:
    consumers = Consumers([{0: 1}])
    room = backlog(100, consumers)
    room.make_room(10)
    room.delivered(0, 0, 10)

    room.make_room(500)

    assert consumers.waits == 1


def test_records_of_others_are_counted_too() -> None:
    consumers = Consumers([{0: 5}, {0: 8}])
    room = backlog(100, consumers)
    room.make_room(20)
    room.delivered(0, 9, 20)  # nine records of others stand before it

    room.make_room(30)

    assert consumers.waits == 2


def test_without_progress_it_gives_up_and_says_what_to_start() -> None:
    consumers = Consumers()
    room = backlog(100, consumers)
    room.make_room(90)
    room.delivered(0, 0, 90)

    with pytest.raises(BacklogStalled, match=r"'indexers'.*millrace worker"):
        room.make_room(90)
    assert consumers.now == pytest.approx(5, abs=0.2)


def test_slow_progress_is_progress() -> None:
    plan = [{0: number // 40} for number in range(1, 400)]  # one record each four seconds
    consumers = Consumers(plan)
    room = backlog(100, consumers)
    for offset in range(10):
        room.make_room(10)
        room.delivered(0, offset, 10)

    room.make_room(90)

    assert consumers.now > 30


def test_a_broker_that_does_not_answer_is_waited_for() -> None:
    consumers = Consumers([{}, {}, {0: 1}])
    answers = iter([True, True, False, False])

    def committed() -> Mapping[int, int] | None:
        return None if next(answers) else consumers.committed()

    room = Backlog(100, committed, consumers.clock, consumers.wait, patience_seconds=5, group="indexers")
    room.make_room(90)
    room.delivered(0, 0, 90)
    room.make_room(90)

    assert consumers.waits == 3
