"""When a backfill has caught up, under traffic and in silence."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from monitoring.lag import LagUnavailable, PartitionLag
from streams.backfill import Backfill, CatchUp


@dataclass
class ScriptedPlace:
    """Gives one answer a look; None: the broker does not tell."""

    answers: list[Mapping[int, PartitionLag] | None]
    real_records: bool = True
    asked: list[list[int]] = field(default_factory=list)

    def read(self) -> Mapping[int, PartitionLag]:
        answer = self.answers.pop(0)
        if answer is None:
            raise LagUnavailable("no broker", "_TRANSPORT")
        return answer

    def records_wait(self, partitions: Collection[int]) -> bool:
        self.asked.append(list(partitions))
        return self.real_records


def looks(place: ScriptedPlace) -> list[bool]:
    catch_up = CatchUp(Backfill("products_next", place), lambda: 7)
    return [catch_up.look(float(number)) for number in range(len(place.answers))]


def lag(committed: int | None, latest: int, earliest: int = 0) -> PartitionLag:
    return PartitionLag(earliest, committed, latest)


def test_an_empty_topic_is_caught_up_with_at_once() -> None:
    assert looks(ScriptedPlace([{0: lag(None, 0), 1: lag(None, 5, earliest=5)}])) == [True]


def test_a_group_without_commits_is_behind() -> None:
    assert looks(ScriptedPlace([{0: lag(None, 900)}, {0: lag(None, 900)}])) == [False, False]


def test_under_traffic_it_is_caught_up_once_it_has_what_was_there_at_the_look_before() -> None:
    place = ScriptedPlace(
        [
            {0: lag(100, 900), 1: lag(800, 800)},
            {0: lag(899, 950), 1: lag(801, 850)},
            {0: lag(949, 1_000), 1: lag(850, 900)},
            {0: lag(1_000, 1_050), 1: lag(900, 950)},
        ]
    )

    assert looks(place) == [False, False, False, True]


def test_one_slow_partition_is_enough_to_be_behind() -> None:
    assert looks(ScriptedPlace([{0: lag(900, 900), 1: lag(10, 900)}] * 3)) == [False] * 3


@pytest.mark.parametrize("real", [True, False])
def test_the_marker_of_a_transaction_is_no_event(real: bool) -> None:
    place = ScriptedPlace([{0: lag(899, 900), 1: lag(900, 900)}], real_records=real)

    assert looks(place) == [not real]
    assert place.asked == [[0, 1]]


def test_a_broker_that_does_not_tell_is_asked_again() -> None:
    assert looks(ScriptedPlace([None, {0: lag(5, 5)}])) == [False, True]


def test_it_tells_how_far_it_is_and_when_it_is_done(caplog: pytest.LogCaptureFixture) -> None:
    place = ScriptedPlace([{0: lag(100, 900)}, {0: lag(200, 900)}, {0: lag(900, 900)}])
    with caplog.at_level(logging.INFO, "streams.backfill"):
        looks(place)

    assert caplog.messages == [
        "Filling 'products_next': 800 events behind, 7 handled by this process",
        "Caught up: 'products_next' holds what is on the topic; this process handled 7 events",
    ]
