"""milvus-lite under supervision where its start fails or takes long. The processes are stand-ins."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import cli.supervision
from cli.supervision import SupervisedMilvus

PATIENCE = 20.0


class StandIn:
    """An EmbeddedMilvus that runs until it is ended."""

    uri = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.ended = threading.Event()

    def wait(self) -> None:
        assert self.ended.wait(PATIENCE)

    def stop(self) -> None:
        self.ended.set()

    kill = stop


class Starts:
    """What each start becomes, in their order; the folder and port that are asked for play no part."""

    def __init__(self, *starts: Callable[[], StandIn]) -> None:
        self._starts = iter(starts)

    def __call__(self, *_: object) -> StandIn:
        return next(self._starts)()


@pytest.fixture
def supervise(monkeypatch: pytest.MonkeyPatch) -> Callable[..., SupervisedMilvus]:
    def begin(*starts: Callable[[], StandIn]) -> SupervisedMilvus:
        monkeypatch.setattr(cli.supervision, "EmbeddedMilvus", Starts(*starts))
        return SupervisedMilvus(Path())

    monkeypatch.setattr(cli.supervision, "_RESTART_PAUSE_SECONDS", 0.0)
    return begin


def test_a_start_that_the_system_refuses_is_tried_again(supervise: Callable[..., SupervisedMilvus]) -> None:
    first, second = StandIn(), StandIn()
    back = threading.Event()

    def refuse() -> StandIn:
        raise OSError("no space left on device")

    def start() -> StandIn:
        back.set()
        return second

    milvus = supervise(lambda: first, refuse, start)
    first.ended.set()
    assert back.wait(PATIENCE)
    milvus.stop()

    assert second.ended.is_set()


def test_a_stop_does_not_wait_for_a_start_and_ends_what_it_started(
    supervise: Callable[..., SupervisedMilvus], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = StandIn(), StandIn()
    starting, go_on = threading.Event(), threading.Event()

    def hang() -> StandIn:
        starting.set()
        assert go_on.wait(PATIENCE)
        return second

    monkeypatch.setattr(cli.supervision, "_STOP_SECONDS", 0.0)
    milvus = supervise(lambda: first, hang)
    first.ended.set()
    assert starting.wait(PATIENCE)
    milvus.stop()
    assert not second.ended.is_set()
    go_on.set()

    assert second.ended.wait(PATIENCE)
    assert milvus.restarts == 0
