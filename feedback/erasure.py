"""Taking a person out of the profile store, and the proof of it."""

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from feedback.erasure_marks import decode_mark, encode_mark
from feedback.ledger import decode_entry, encode_entry
from feedback.profiles import decode_profile, encode_profile
from feedback.settings import ProfileSettings
from feedback.state_keys import counted_key, erased_key, lists_key, shopper_key
from feedback.store import Kept, ProfileStore, StoreUnavailable
from topics.feedback import ShopperErased

_MOST_TRIES = 100


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """By kind: how many states held something of the person that is gone, and how many hold something afterwards."""

    removed: Mapping[str, int]
    found_afterwards: Mapping[str, int]


class _MoreLists(Exception):
    pass


def erase_shopper(store: ProfileStore, erased: ShopperErased, settings: ProfileSettings, now: float) -> ErasureReport:
    """Remove all of the shopper up to the time of the erasure, and leave a mark, so that it is not counted again.

    Counts of products stay: they name nobody. A repeat removes nothing of what came later. `now` is seconds since 1970,
    by the clock of the process. Raises StoreUnavailable.
    """
    removed: Tally[str] = Tally()
    for _ in range(_MOST_TRIES):
        keys = _keys(store, erased.shopper)

        def change(held: Mapping[str, bytes], keys: list[str] = keys) -> Mapping[str, Kept | None]:
            nonlocal removed
            if not {counted_key(query_id) for query_id in _lists(held.get(lists_key(erased.shopper)))} <= set(keys):
                raise _MoreLists
            until = max(erased.at, decode_mark(held.get(erased_key(erased.shopper))))
            changes = dict(_without(held, erased.shopper, until, settings, now))
            removed = Tally(key.partition(":")[0] for key in changes)
            mark = Kept(encode_mark(until), settings.ledger_expiry(now))
            return {**changes, erased_key(erased.shopper): mark}

        try:
            store.update(keys, change)
        except _MoreLists:
            continue
        return ErasureReport(removed, found(store, erased, settings, now))
    raise StoreUnavailable(f"others changed the lists of the same shopper {_MOST_TRIES} times in a row")


def found(store: ProfileStore, erased: ShopperErased, settings: ProfileSettings, now: float) -> dict[str, int]:
    """How many states of each kind hold something of the shopper up to that time."""
    keys = _keys(store, erased.shopper)
    held = {key: state for key, state in zip(keys, store.read(keys), strict=True) if state is not None}
    left = Tally(key.partition(":")[0] for key, _ in _without(held, erased.shopper, erased.at, settings, now))
    return {kind: left[kind] for kind in ("shopper", "lists", "counted")}


def _keys(store: ProfileStore, shopper: str) -> list[str]:
    (lists,) = store.read([lists_key(shopper)])
    own = [erased_key(shopper), shopper_key(shopper), lists_key(shopper)]
    return own + [counted_key(query_id) for query_id in _lists(lists)]


def _lists(state: bytes | None) -> dict[str, float]:
    return orjson.loads(state) if state is not None else {}


def _without(
    held: Mapping[str, bytes], shopper: str, until: float, settings: ProfileSettings, now: float
) -> Iterator[tuple[str, Kept | None]]:
    """The states that change when all of the shopper up to that time goes."""
    profile = decode_profile(held.get(shopper_key(shopper)))
    later = profile.after(until)
    if len(later.records) < len(profile.records):
        kept = Kept(encode_profile(later), settings.profile_expiry(now)) if len(later.records) else None
        yield shopper_key(shopper), kept
    lists = _lists(held.get(lists_key(shopper)))
    live = dict(lists)
    for query_id in lists:
        key = counted_key(query_id)
        entry = decode_entry(held.get(key))
        contributions = frozenset(line for line in entry.contributions if line.at > until)
        if entry.until <= until:
            del live[query_id]
            if key in held:
                yield key, None
        elif contributions != entry.contributions:
            state = encode_entry(replace(entry, contributions=contributions))
            yield key, Kept(state, settings.ledger_expiry(now))
    if live != lists:
        yield lists_key(shopper), Kept(orjson.dumps(live), max(live.values())) if live else None
