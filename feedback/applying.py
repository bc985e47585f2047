"""Joined lists into the profile store, each difference once."""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from feedback.list_fold import ListFold, Outcome, further_keys, keys_of
from feedback.settings import ProfileSettings
from feedback.store import Kept, ProfileStore, StoreUnavailable
from topics.feedback import JoinedList

_MOST_TRIES = 100
_NAMING_MORE = ("counted:", "shopper:")


@dataclass(frozen=True, slots=True)
class Applied:
    """How many lists had which outcome, and how many queries and actions were left out for which reason."""

    outcomes: Mapping[str, int]
    left_out: Mapping[str, int]


class _OtherKeys(Exception):
    def __init__(self, keys: set[str]) -> None:
        super().__init__()
        self.keys = keys


def apply_lists(
    store: ProfileStore,
    lists: Sequence[JoinedList],
    settings: ProfileSettings,
    now: float,
    examination: Sequence[float] = (),
) -> Applied:
    """Bring profiles and statistics to where these lists stand, in one update of the store.

    Counts are the same in whatever order, batches and repetitions revisions come. `now` is seconds since 1970, by the
    clock of the process. Raises StoreUnavailable.
    """
    newest = _newest(lists)
    if not newest:
        return Applied({}, {})
    fold = ListFold({}, settings, now)
    keys, known = _keys(store, newest)

    def change(held: Mapping[str, bytes]) -> Mapping[str, Kept | None]:
        nonlocal fold
        if any(held.get(key) != state for key, state in known.items()):
            others = further_keys(newest, held) - keys
            if others:
                raise _OtherKeys(others)
        fold = ListFold(held, settings, now, examination)
        for one in newest:
            fold.take(one)
        return fold.changes()

    for _ in range(_MOST_TRIES):
        try:
            store.update(list(keys), change)
        except _OtherKeys as more:
            keys |= more.keys
        else:
            superseded = len(lists) - len(newest)
            return Applied(fold.outcomes + Tally({Outcome.OLDER: superseded}), +fold.left_out)
    raise StoreUnavailable(f"others changed the same lists {_MOST_TRIES} times in a row")


def _newest(lists: Iterable[JoinedList]) -> list[JoinedList]:
    """How each list stands last."""
    newest: dict[str, JoinedList] = {}
    for one in lists:
        held = newest.get(one.query_id)
        if held is None or one.standing >= held.standing:
            newest[one.query_id] = one
    return list(newest.values())


def _keys(store: ProfileStore, lists: Sequence[JoinedList]) -> tuple[set[str], Mapping[str, bytes | None]]:
    """All that the lists touch, as far as can be said before the update, and the states that said it."""
    known: dict[str, bytes | None] = {}
    keys = keys_of(lists)
    while True:
        unknown = [key for key in keys if key.startswith(_NAMING_MORE) and key not in known]
        if not unknown:
            return keys, known
        known.update(zip(unknown, store.read(unknown), strict=True))
        keys |= further_keys(lists, {key: state for key, state in known.items() if state is not None})
