"""An outage logs a line now and then, not thousands."""

import logging

import pytest

from cli.logs import NowAndThen, configure_logging


def entry(line: int, text: str = "broker %s is away") -> logging.LogRecord:
    return logging.LogRecord("aiokafka", logging.ERROR, "client.py", line, text, ("b1",), None)


def test_a_place_speaks_once_and_then_now_and_then_with_a_count() -> None:
    now = [0.0]
    narrow = NowAndThen(30, clock=lambda: now[0])

    first = [narrow.filter(entry(1)) for _ in range(1_000)]
    now[0] = 31
    later = entry(1)

    assert first == [True] + [False] * 999
    assert narrow.filter(later)
    assert later.getMessage() == "broker b1 is away (999 more like this in 31 s)"


def test_other_places_are_not_held_back() -> None:
    narrow = NowAndThen(30, clock=lambda: 0.0)

    assert narrow.filter(entry(1))
    assert narrow.filter(entry(2))


def test_what_repeats_in_an_outage_is_narrowed_and_our_own_lines_are_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configure_logging(verbose=False)

    for name in ("aiokafka.conn", "faust.transport", "serving.problems", "streams.indexer"):
        for _ in range(100):
            logging.getLogger(name).warning("no answer")
            logging.getLogger(name).error("no broker")

    lines = capsys.readouterr().err.splitlines()
    told = {name: sum(name in line for line in lines) for name in ("aiokafka", "faust", "serving", "indexer")}
    assert told == {"aiokafka": 1, "faust": 1, "serving": 2, "indexer": 200}
