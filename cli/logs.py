"""How a process logs: one line an entry on stderr, and in an outage a line now and then instead of thousands."""

import logging
import sys
import time
from collections.abc import Callable
from typing import TypeAlias

_LIBRARIES = ("aiokafka", "faust", "mode")
_NOISY = (*_LIBRARIES, "serving.problems", "topics.publisher")  # an entry for each try, request, or message
_QUIET = ("httpx", "pymilvus", "sentence_transformers")
_SECONDS_BETWEEN_LINES = 30.0

_Place: TypeAlias = tuple[str, str, int]  # logger, file, line


class NowAndThen(logging.Filter):
    """Of the entries that one place in the code writes, the first passes, and later ones now and then, with a count."""

    def __init__(self, seconds_between: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds_between = seconds_between
        self._clock = clock
        self._passed_at: dict[_Place, float] = {}
        self._held_back: dict[_Place, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place = (record.name, record.pathname, record.lineno)
        silence = self._clock() - self._passed_at.get(place, float("-inf"))
        if silence < self._seconds_between:
            self._held_back[place] = self._held_back.get(place, 0) + 1
            return False
        self._passed_at[place] = self._clock()
        if held_back := self._held_back.pop(place, 0):
            record.msg = f"{record.getMessage()} ({held_back} more like this in {silence:.0f} s)"
            record.args = None
        return True


def configure_logging(verbose: bool) -> None:
    """`verbose`: what the stream library does, too; otherwise only its errors."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_only_of(_NOISY, NowAndThen(_SECONDS_BETWEEN_LINES)))
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in (*_LIBRARIES, *_QUIET):
        logging.getLogger(name).setLevel(logging.INFO if verbose else logging.ERROR)


def _only_of(loggers: tuple[str, ...], narrow: logging.Filter) -> Callable[[logging.LogRecord], bool]:
    def passes(record: logging.LogRecord) -> bool:
        return not record.name.startswith(loggers) or bool(narrow.filter(record))

    return passes
