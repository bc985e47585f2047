"""What entries of the ledger change in the counts of products."""

from array import array
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from feedback.ledger import Contribution, Entry
from feedback.state_keys import SHOP, class_key, place_key, product_key, shop_at_place_key
from feedback.statistics import Amounts, Counter, CountStates

_COLUMNS = 7


class _Together(NamedTuple):
    """Lists that are counted together. `product`: what stands before the product's id in the keys of its counts;
    `shop`: the key of the counts of all products together, empty where they are not kept.
    """

    product: str
    shop: str = ""


class CountChanges:
    """Differences between entries, to be added to the counts all at once."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}  # by key
        self._lines = array("d")  # row, counter, time, sign, daypart and both weights of each

    def change(self, old: Entry, new: Entry) -> None:
        """Take back what only the old entry counts, add what only the new one does."""
        nothing: frozenset[Contribution] = frozenset()
        before, now = _together(old), _together(new)
        for lists in dict.fromkeys((*before, *now)):
            counted = old.contributions if lists in before else nothing
            counts = new.contributions if lists in now else nothing
            self._add(lists, counts - counted, 1)
            self._add(lists, counted - counts, -1)

    def states(self, held: Mapping[str, bytes], states: CountStates) -> dict[str, bytes | None]:
        """The new states, None for those that count nothing any more."""
        lines = np.frombuffer(self._lines).reshape(-1, _COLUMNS)
        rows, counters, at, signs, dayparts = lines[:, :5].T
        seen = counters == Counter.IMPRESSIONS
        examined, expected_clicks = lines[seen, 5:].T * signs[seen]
        weighed = [np.full(len(examined), counter) for counter in (Counter.EXAMINED, Counter.EXPECTED_CLICKS)]
        added = states.added(
            [held.get(key) for key in self._rows],
            Amounts(
                np.concatenate([rows, rows[seen], rows[seen]]).astype(np.int64),
                np.concatenate([counters, *weighed]).astype(np.int64),
                np.concatenate([at, at[seen], at[seen]]),
                np.concatenate([signs, examined, expected_clicks]),
                np.concatenate([dayparts, dayparts[seen], dayparts[seen]]).astype(np.int64),
            ),
        )
        return dict(zip(self._rows, added, strict=True))

    def _add(self, lists: _Together, contributions: Iterable[Contribution], sign: int) -> None:
        for one in contributions:
            if lists.shop:
                self._add_line(lists.shop, one, sign)
            self._add_line(lists.product + one.product_id, one, sign)

    def _add_line(self, key: str, one: Contribution, sign: int) -> None:
        row = self._rows.setdefault(key, len(self._rows))
        self._lines.extend((row, one.counter, one.at, sign, one.daypart, one.examined, one.expected_clicks))


def counts_keys(entry: Entry) -> set[str]:
    """The keys of all counts that an entry is part of."""
    products = {line.product_id for line in entry.contributions}
    lists = _together(entry)
    keys = {each.shop for each in lists if each.shop and products}
    return keys | {each.product + product_id for each in lists for product_id in products}


def _together(entry: Entry) -> list[_Together]:
    """All lists among which this one is counted."""
    lists = [_Together(product_key(""), SHOP)]
    if entry.query_class:
        lists.append(_Together(class_key(entry.query_class, "")))
    if entry.place:
        lists.append(_Together(place_key(entry.place, ""), shop_at_place_key(entry.place)))
    return lists
