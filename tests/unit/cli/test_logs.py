"""An outage logs a line now and then, not thousands."""

import logging

from cli.logs import NowAndThen


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
    assert later.getMessage() == "broker b1 is away (999 more like it)"


def test_other_places_are_not_held_back() -> None:
    narrow = NowAndThen(30, clock=lambda: 0.0)

    assert narrow.filter(entry(1))
    assert narrow.filter(entry(2))
