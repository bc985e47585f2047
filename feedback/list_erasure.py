"""Taking a person out of the open lists, and who has been taken out."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice

from feedback import join
from feedback.erasure_marks import Span, decode_mark
from feedback.join import Action, OpenList, ShownList
from feedback.state_keys import erased_key, traffic_key
from feedback.store import Kept, ProfileStore
from topics.feedback import ShopperErased

_LISTS_AT_ONCE = 500


def erased_at(store: ProfileStore, shoppers: Collection[str]) -> dict[str, float]:
    """When those of them who were erased were erased last. Raises StoreUnavailable."""
    named = sorted(shoppers)
    marks = store.read([erased_key(shopper) for shopper in named])
    return {
        shopper: decode_mark(mark).erased_at for shopper, mark in zip(named, marks, strict=True) if mark is not None
    }


def is_swept(store: ProfileStore, erased: ShopperErased) -> bool:
    """Whether what was held at this erasure is gone everywhere, so that it is a repeat. Raises StoreUnavailable."""
    (mark,) = store.read([erased_key(erased.shopper)])
    return decode_mark(mark).swept_at >= erased.at


def erase_open_lists(
    store: ProfileStore, shopper: str, kept: Span, expires_at: float, on_progress: Callable[[], None] = lambda: None
) -> int:
    """Take out what the shopper did but at the times that are kept, after the mark has been made, so that nothing comes
    back.

    Reads every open list. Returns how many held something. Raises StoreUnavailable.
    """
    store.update([traffic_key(shopper)], lambda held: dict.fromkeys(held))
    changed = 0
    for keys in _some_of(store.keys("list")):
        on_progress()
        names_them = [
            key
            for key, state in zip(keys, store.read(keys), strict=True)
            if state is not None and _holds(join.decode(state), shopper, kept)
        ]
        if names_them:
            store.update(names_them, lambda held: _only(kept, held, shopper, expires_at))
            changed += len(names_them)
    return changed


def count_open_lists(
    store: ProfileStore, shopper: str, kept: Span, on_progress: Callable[[], None] = lambda: None
) -> int:
    """How many hold something that `erase_open_lists` would take out. Raises StoreUnavailable."""
    number = 0
    for keys in _some_of(store.keys("list")):
        on_progress()
        states = store.read(keys)
        number += sum(state is not None and _holds(join.decode(state), shopper, kept) for state in states)
    return number


def _only(kept: Span, held: Mapping[str, bytes], shopper: str, expires_at: float) -> dict[str, Kept | None]:
    changed: dict[str, Kept | None] = {}
    for key, state in held.items():
        known = join.decode(state)
        if not _holds(known, shopper, kept):
            continue
        if known.query is not None and _goes(known.query, shopper, kept):
            known.query, known.query_erased = None, True
            known.erased += 1
        left = {id_: action for id_, action in known.actions.items() if not _goes(action, shopper, kept)}
        known.erased += len(known.actions) - len(left)
        known.actions = left
        changed[key] = Kept(join.encode(known), expires_at) if known.query or known.actions else None
    return changed


def _holds(known: OpenList, shopper: str, kept: Span) -> bool:
    asked = known.query is not None and _goes(known.query, shopper, kept)
    return asked or any(_goes(action, shopper, kept) for action in known.actions.values())


def _goes(said: Action | ShownList, shopper: str, kept: Span) -> bool:
    return said.shopper == shopper and not kept.has(said.at)


def _some_of(keys: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(keys, _LISTS_AT_ONCE)):
        yield some
