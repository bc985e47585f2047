"""What a change may do to what the index holds: never backwards, and never onto other content than it was made for."""

from collections.abc import Sequence

from index.base import Change, IndexedState, IndexRefused, Outcome, PartialUpdate, Tombstone


def decide(change: Change, held: IndexedState | None) -> Outcome:
    """WRITTEN where the change is to be written, else STALE or CONFLICT."""
    if held is not None and held.version >= change.version:
        return Outcome.STALE
    if isinstance(change, Tombstone) and not change.dated and not _ends(change, held):
        return Outcome.STALE
    if isinstance(change, PartialUpdate) and (held is None or held.deleted or held.hashes != change.expects):
        return Outcome.CONFLICT
    return Outcome.WRITTEN


def _ends(tombstone: Tombstone, held: IndexedState | None) -> bool:
    return held is not None and not held.deleted and tombstone.position.follows(held.position)


def require_one_change_each(changes: Sequence[Change]) -> None:
    """Raises IndexRefused when two changes of one call are about the same product."""
    seen: set[str] = set()
    for change in changes:
        if change.product_id in seen:
            raise IndexRefused(f"two changes for product {change.product_id!r} in one call: keep the newest")
        seen.add(change.product_id)
