"""Processes that spare the collector give it back what it is to clear away at their end."""

import atexit
import gc
from collections.abc import Callable

import pytest

from cli.server import spare_searches_the_collector
from streams.ending import spare_the_collector


@pytest.mark.parametrize("spare", [spare_searches_the_collector, spare_the_collector])
def test_what_is_frozen_is_collected_when_the_process_ends(
    monkeypatch: pytest.MonkeyPatch, spare: Callable[[], None]
) -> None:
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    threshold = gc.get_threshold()

    spare()
    frozen = gc.get_freeze_count()
    for function in at_exit:
        function()

    assert frozen > 0
    assert gc.get_freeze_count() == 0
    gc.unfreeze()
    gc.set_threshold(*threshold)
