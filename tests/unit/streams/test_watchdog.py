"""A worker is stalled when events wait at every look and none is finished for long enough."""

from dataclasses import dataclass

from monitoring.lag import LagUnavailable
from streams.watchdog import Watchdog


@dataclass
class FixedProgress:
    last_progress: float = 0.0
    in_flight: int = 0


@dataclass
class BrokerThatIsAway:
    away: bool = True

    def records_wait(self) -> bool:
        if self.away:
            raise LagUnavailable("no broker", "_TRANSPORT")
        return False

    def never_asked(self) -> bool:
        raise AssertionError("asked")


def test_an_idle_worker_is_never_stalled() -> None:
    watchdog = Watchdog(FixedProgress(), lambda: False, stalled_seconds=10)

    assert not any(watchdog.look(now) for now in range(0, 1000, 5))


def test_batches_in_flight_that_do_not_move_are_a_stall() -> None:
    watchdog = Watchdog(FixedProgress(in_flight=1), lambda: False, stalled_seconds=10)

    assert [watchdog.look(now) for now in (100, 105, 109, 110)] == [False, False, False, True]


def test_records_that_wait_on_the_broker_and_never_come_are_a_stall() -> None:
    watchdog = Watchdog(FixedProgress(), lambda: True, stalled_seconds=10)

    assert [watchdog.look(now) for now in (100, 110)] == [False, True]


def test_each_finished_batch_starts_the_wait_anew() -> None:
    progress = FixedProgress(in_flight=1)
    watchdog = Watchdog(progress, lambda: False, stalled_seconds=10)
    watchdog.look(100)
    progress.last_progress = 109

    assert not watchdog.look(118)
    assert watchdog.look(119)


def test_a_record_that_comes_after_a_long_silence_gets_its_time() -> None:
    progress = FixedProgress()
    watchdog = Watchdog(progress, lambda: False, stalled_seconds=10)
    watchdog.look(100)
    progress.in_flight = 1

    assert not watchdog.look(1000)
    assert watchdog.look(1010)


def test_what_waits_for_a_broker_that_is_away_gets_its_time_once_it_is_back() -> None:
    broker = BrokerThatIsAway()
    watchdog = Watchdog(FixedProgress(in_flight=1), broker.records_wait, stalled_seconds=10)

    assert not any(watchdog.look(now) for now in range(100, 1000, 5))
    broker.away = False
    assert [watchdog.look(now) for now in (1000, 1005, 1009, 1010)] == [False, False, False, True]


def test_the_broker_is_not_asked_while_batches_are_finished() -> None:
    progress = FixedProgress(in_flight=1)
    watchdog = Watchdog(progress, BrokerThatIsAway().never_asked, stalled_seconds=10)

    for now in range(100, 1000, 5):
        progress.last_progress = now
        assert not watchdog.look(now)
