"""Taking a person out of all that the click loop keeps, and the proof of it."""

import time
from collections.abc import Callable

from feedback.erasure import ErasureReport, erase_shopper
from feedback.example_log import ExampleLog
from feedback.list_erasure import count_open_lists, erase_open_lists
from feedback.settings import ProfileSettings
from feedback.store import ProfileStore
from topics.feedback import ShopperErased

_DAY_SECONDS = 86_400
OPEN_LISTS = "list"
EXAMPLES = "example"


class PersonErasure:
    """Profile, open lists and example log, in this order: the first leaves the mark by which whatever is written from
    then on is checked.

    `keep_days`: how long what is left of an open list is kept. Raises StoreUnavailable and LogUnavailable; the same
    call may be made again.
    """

    def __init__(
        self,
        store: ProfileStore,
        settings: ProfileSettings,
        log: ExampleLog,
        keep_days: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._settings = settings
        self._log = log
        self._keep_seconds = keep_days * _DAY_SECONDS
        self._clock = clock

    def erase(self, erased: ShopperErased) -> ErasureReport:
        """Reads every open list and the shoppers of the whole log: seconds, where they are many."""
        now = self._clock()
        profile = erase_shopper(self._store, erased, self._settings, now)
        lists = erase_open_lists(self._store, erased, now + self._keep_seconds)
        rows = self._log.erase(erased.shopper, erased.at)
        return ErasureReport(
            {**profile.removed, OPEN_LISTS: lists, EXAMPLES: rows},
            {
                **profile.found_afterwards,
                OPEN_LISTS: count_open_lists(self._store, erased),
                EXAMPLES: self._log.count(erased.shopper, erased.at),
            },
        )
