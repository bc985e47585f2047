"""Taking a person out of the profile store, and the proof of it."""

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from feedback.erasure_marks import NEVER, Mark, Span, decode_mark, encode_mark
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


def erase_shopper(
    store: ProfileStore, erased: ShopperErased, settings: ProfileSettings, now: float, *, sweep: bool = False
) -> ErasureReport:
    """Remove all of the shopper that is held, whatever clock has dated it, and leave a mark, so that nothing of before
    is counted again.

    A repeat removes nothing of what is later than the erasure, unless it is told to `sweep`. Counts of products stay:
    they name nobody. `now` is seconds since 1970, by the clock of the process. Raises StoreUnavailable.
    """
    removed: Tally[str] = Tally()
    for _ in range(_MOST_TRIES):
        keys = _keys(store, erased.shopper)

        def change(held: Mapping[str, bytes], keys: list[str] = keys) -> Mapping[str, Kept | None]:
            nonlocal removed
            if not {counted_key(query_id) for query_id in _lists(held.get(lists_key(erased.shopper)))} <= set(keys):
                raise _MoreLists
            mark = decode_mark(held.get(erased_key(erased.shopper)))
            is_repeat = mark.erased_at >= erased.at and not sweep
            kept = Span(mark.erased_at) if is_repeat else NEVER
            changes = dict(_only(kept, held, erased.shopper, settings, now))
            removed = Tally(key.partition(":")[0] for key in changes)
            mark = replace(mark, erased_at=max(erased.at, mark.erased_at))
            return {**changes, erased_key(erased.shopper): Kept(encode_mark(mark), settings.ledger_expiry(now))}

        try:
            store.update(keys, change)
        except _MoreLists:
            continue
        return ErasureReport(removed, found(store, erased, settings, now))
    raise StoreUnavailable(f"others changed the lists of the same shopper {_MOST_TRIES} times in a row")


def found(store: ProfileStore, erased: ShopperErased, settings: ProfileSettings, now: float) -> dict[str, int]:
    """How many states of each kind hold something of the shopper that was not done between the erasure and now."""
    keys = _keys(store, erased.shopper)
    held = {key: state for key, state in zip(keys, store.read(keys), strict=True) if state is not None}
    left = Tally(key.partition(":")[0] for key, _ in _only(Span(erased.at, now), held, erased.shopper, settings, now))
    return {kind: left[kind] for kind in ("shopper", "lists", "counted")}


def _keys(store: ProfileStore, shopper: str) -> list[str]:
    (lists,) = store.read([lists_key(shopper)])
    own = [erased_key(shopper), shopper_key(shopper), lists_key(shopper)]
    return own + [counted_key(query_id) for query_id in _lists(lists)]


def _lists(state: bytes | None) -> dict[str, float]:
    return orjson.loads(state) if state is not None else {}


def mark_swept(store: ProfileStore, erased: ShopperErased, settings: ProfileSettings, now: float) -> None:
    """Nothing that was held when the shopper was erased is left anywhere. Raises StoreUnavailable."""
    key = erased_key(erased.shopper)

    def change(held: Mapping[str, bytes]) -> Mapping[str, Kept | None]:
        mark = decode_mark(held.get(key))
        swept = Mark(max(erased.at, mark.erased_at), max(erased.at, mark.swept_at))
        return {key: Kept(encode_mark(swept), settings.ledger_expiry(now))}

    store.update([key], change)


def _only(
    span: Span, held: Mapping[str, bytes], shopper: str, settings: ProfileSettings, now: float
) -> Iterator[tuple[str, Kept | None]]:
    """The states that change when all of the shopper but what is of that span goes."""
    profile = decode_profile(held.get(shopper_key(shopper)))
    left = profile.during(span)
    if len(left.records) < len(profile.records):
        kept = Kept(encode_profile(left), settings.profile_expiry(now)) if len(left.records) else None
        yield shopper_key(shopper), kept
    lists = _lists(held.get(lists_key(shopper)))
    live = dict(lists)
    for query_id in lists:
        key = counted_key(query_id)
        entry = decode_entry(held.get(key))
        contributions = frozenset(line for line in entry.contributions if span.has(line.at))
        if not span.has(entry.until):
            del live[query_id]
            if key in held:
                yield key, None
        elif contributions != entry.contributions:
            state = encode_entry(replace(entry, contributions=contributions))
            yield key, Kept(state, settings.ledger_expiry(now))
    if live != lists:
        yield lists_key(shopper), Kept(orjson.dumps(live), max(live.values())) if live else None
