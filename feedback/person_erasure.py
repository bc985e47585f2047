"""Taking a person out of all that the click loop keeps, and the proof of it."""

import time
from collections.abc import Callable

from feedback.erasure import ErasureReport, erase_shopper, found, mark_swept
from feedback.erasure_marks import NEVER, Span
from feedback.example_log import ExampleLog
from feedback.list_erasure import count_open_lists, erase_open_lists, is_swept
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

    def erase(self, erased: ShopperErased, on_progress: Callable[[], None] = lambda: None) -> ErasureReport:
        """All that is held of the person goes, whatever clock has dated it; found is what is left of it at the end, and
        was not done since.

        Once all of it is done, a repeat leaves what is later than the erasure. Reads every open list and the shoppers
        of the whole log: seconds, where they are many; `on_progress` is called with each file and some lists.
        """
        now = self._clock()
        swept = is_swept(self._store, erased)
        kept = Span(erased.at) if swept else NEVER
        profile = erase_shopper(self._store, erased, self._settings, now, sweep=not swept)
        lists = erase_open_lists(self._store, erased.shopper, kept, now + self._keep_seconds, on_progress)
        rows = self._log.erase(erased.shopper, kept.after, on_progress)
        mark_swept(self._store, erased, self._settings, now)
        return ErasureReport({**profile.removed, OPEN_LISTS: lists, EXAMPLES: rows}, self._found(erased, on_progress))

    def _found(self, erased: ShopperErased, on_progress: Callable[[], None]) -> dict[str, int]:
        now = self._clock()
        since = Span(erased.at, now)
        return {
            **found(self._store, erased, self._settings, now),
            OPEN_LISTS: count_open_lists(self._store, erased.shopper, since, on_progress),
            EXAMPLES: self._log.count(erased.shopper, since.after, since.until, on_progress),
        }
