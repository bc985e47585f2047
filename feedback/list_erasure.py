"""Taking a person out of the open lists, and who has been taken out."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from feedback import join
from feedback.erasure_marks import decode_mark
from feedback.join import OpenList
from feedback.state_keys import erased_key, traffic_key
from feedback.store import Kept, ProfileStore
from topics.feedback import ShopperErased

_LISTS_AT_ONCE = 500


def erased_at(store: ProfileStore, shoppers: Collection[str]) -> dict[str, float]:
    """When those of them who were erased were erased last. Raises StoreUnavailable."""
    named = sorted(shoppers)
    marks = store.read([erased_key(shopper) for shopper in named])
    return {shopper: decode_mark(mark) for shopper, mark in zip(named, marks, strict=True) if mark is not None}


def erase_open_lists(store: ProfileStore, erased: ShopperErased, expires_at: float) -> int:
    """Take out what the shopper did up to then, after the mark has been made, so that nothing comes back.

    Reads every open list. Returns how many held something. Raises StoreUnavailable.
    """
    store.update([traffic_key(erased.shopper)], lambda held: dict.fromkeys(held))
    changed = 0
    for keys in _some_of(store.keys("list")):
        names_them = [
            key
            for key, state in zip(keys, store.read(keys), strict=True)
            if state is not None and _holds(join.decode(state), erased)
        ]
        if names_them:
            store.update(names_them, lambda held: _without(held, erased, expires_at))
            changed += len(names_them)
    return changed


def count_open_lists(store: ProfileStore, erased: ShopperErased) -> int:
    """How many hold something that `erase_open_lists` would take out. Raises StoreUnavailable."""
    return sum(
        state is not None and _holds(join.decode(state), erased)
        for keys in _some_of(store.keys("list"))
        for state in store.read(keys)
    )


def _without(held: Mapping[str, bytes], erased: ShopperErased, expires_at: float) -> dict[str, Kept | None]:
    changed: dict[str, Kept | None] = {}
    for key, state in held.items():
        known = join.decode(state)
        if not _holds(known, erased):
            continue
        if _asked(known, erased):
            known.query, known.query_erased = None, True
            known.erased += 1
        kept = {id_: action for id_, action in known.actions.items() if not _did(action, erased)}
        known.erased += len(known.actions) - len(kept)
        known.actions = kept
        changed[key] = Kept(join.encode(known), expires_at) if known.query or known.actions else None
    return changed


def _holds(known: OpenList, erased: ShopperErased) -> bool:
    return _asked(known, erased) or any(_did(action, erased) for action in known.actions.values())


def _asked(known: OpenList, erased: ShopperErased) -> bool:
    return known.query is not None and known.query.shopper == erased.shopper and known.query.at <= erased.at


def _did(action: join.Action, erased: ShopperErased) -> bool:
    return action.shopper == erased.shopper and action.at <= erased.at


def _some_of(keys: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(keys, _LISTS_AT_ONCE)):
        yield some
