"""How a process on streams lives and may end."""

import atexit
import gc
import logging
import os
import sys
import threading
from typing import Any, NoReturn

import faust

logger = logging.getLogger(__name__)

EXIT_UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h
EXIT_STALLED = 75  # EX_TEMPFAIL

_COLLECT_EVERY = 20_000  # new objects; Python's default is 700


def spare_the_collector() -> None:
    """Models and libraries stay, and events come in thousands of small objects that are in no cycle: 8 % of the CPU
    of an event went into walking through them.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)  # else nanobind takes all of triton for leaked, and fills the log with it
    gc.set_threshold(_COLLECT_EVERY)


def end_process(error: BaseException) -> NoReturn:
    """The end on anything unexpected: no handler of Faust runs, so nothing in flight is acknowledged or committed."""
    logger.critical("Ending this worker; what was in flight is read again after the restart", exc_info=error)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(EXIT_UNEXPECTED)


class BoundedWorker(faust.Worker):  # type: ignore[misc]
    """Faust's worker waits on its way out for as long as the broker or the index is away; this one does not.

    `stop_seconds` bound the whole way from the request to the end of the process.
    """

    def __init__(self, app: faust.App, stop_seconds: float, **options: Any) -> None:
        super().__init__(app, **options)
        self.spinner = None  # it writes to stdout, and a worker whose log's disk is full would not start
        self._stop_seconds = stop_seconds

    async def stop(self) -> None:
        late = threading.Timer(self._stop_seconds, self._end)
        late.daemon = True
        late.start()
        await super().stop()

    def _setproctitle(self, *_: object, **__: object) -> None:
        """The process keeps the name that its command gave it."""

    def _end(self) -> None:
        logger.warning(
            "Not finished %g s after the request to stop: ending; the next worker reads again what is not committed",
            self._stop_seconds,
        )
        logging.shutdown()
        os._exit(EXIT_STALLED)
