"""How a process logs: one line an entry on stderr, and in an outage a line now and then instead of thousands."""

import logging
import sys
import time
from collections.abc import Callable

_NOISY = ("aiokafka", "faust", "mode")
_QUIET = ("httpx", "pymilvus", "sentence_transformers")
_SECONDS_BETWEEN_LINES = 30.0


class NowAndThen(logging.Filter):
    """Of the entries that one place in the code writes, the first passes, and later ones now and then, with a count."""

    def __init__(self, seconds_between: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds_between = seconds_between
        self._clock = clock
        self._passed_at: dict[tuple[str, int], float] = {}
        self._held_back: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place = (record.pathname, record.lineno)
        now = self._clock()
        if now - self._passed_at.get(place, float("-inf")) < self._seconds_between:
            self._held_back[place] = self._held_back.get(place, 0) + 1
            return False
        self._passed_at[place] = now
        if held_back := self._held_back.pop(place, 0):
            record.msg = f"{record.getMessage()} ({held_back} more like it)"
            record.args = None
        return True


def configure_logging(verbose: bool) -> None:
    """`verbose`: what the stream library does, too; otherwise only its errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_only_of(_NOISY, NowAndThen(_SECONDS_BETWEEN_LINES)))
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in (*_NOISY, *_QUIET):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.ERROR)


def _only_of(loggers: tuple[str, ...], narrow: logging.Filter) -> Callable[[logging.LogRecord], bool]:
    def passes(record: logging.LogRecord) -> bool:
        return not record.name.startswith(loggers) or bool(narrow.filter(record))

    return passes
