"""What entries of the ledger change in the counts of products."""

from array import array
from collections.abc import Iterable, Mapping

import numpy as np

from feedback.ledger import Contribution, Entry
from feedback.state_keys import SHOP, class_key, product_key
from feedback.statistics import Amounts, Counter, CountStates

_COLUMNS = 6


class CountChanges:
    """Differences between entries, to be added to the counts all at once."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}  # by key
        self._lines = array("d")  # row, counter, time, sign and both weights of each

    def change(self, old: Entry, new: Entry) -> None:
        """Take back what only the old entry counts, add what only the new one does."""
        came, gone = new.contributions - old.contributions, old.contributions - new.contributions
        self._add("", came, 1)
        self._add("", gone, -1)
        if new.query_class != old.query_class:
            came, gone = new.contributions, old.contributions
        if new.query_class:
            self._add(new.query_class, came, 1)
        if old.query_class:
            self._add(old.query_class, gone, -1)

    def states(self, held: Mapping[str, bytes], states: CountStates) -> dict[str, bytes | None]:
        """The new states, None for those that count nothing any more."""
        lines = np.frombuffer(self._lines).reshape(-1, _COLUMNS)
        rows, counters, at, signs = lines[:, :4].T
        seen = counters == Counter.IMPRESSIONS
        examined, expected_clicks = lines[seen, 4:].T * signs[seen]
        weighed = [np.full(len(examined), counter) for counter in (Counter.EXAMINED, Counter.EXPECTED_CLICKS)]
        added = states.added(
            [held.get(key) for key in self._rows],
            Amounts(
                np.concatenate([rows, rows[seen], rows[seen]]).astype(np.int64),
                np.concatenate([counters, *weighed]).astype(np.int64),
                np.concatenate([at, at[seen], at[seen]]),
                np.concatenate([signs, examined, expected_clicks]),
            ),
        )
        return dict(zip(self._rows, added, strict=True))

    def _add(self, query_class: str, contributions: Iterable[Contribution], sign: int) -> None:
        """To lists of all queries where the class is empty."""
        for one in contributions:
            if query_class:
                self._add_line(class_key(query_class, one.product_id), one, sign)
            else:
                self._add_line(SHOP, one, sign)
                self._add_line(product_key(one.product_id), one, sign)

    def _add_line(self, key: str, one: Contribution, sign: int) -> None:
        row = self._rows.setdefault(key, len(self._rows))
        self._lines.extend((row, one.counter, one.at, sign, one.examined, one.expected_clicks))


def counts_keys(entry: Entry) -> set[str]:
    """The keys of all counts that an entry is part of, but that of the whole shop."""
    products = {line.product_id for line in entry.contributions}
    keys = {product_key(product_id) for product_id in products}
    if entry.query_class:
        keys |= {class_key(entry.query_class, product_id) for product_id in products}
    return keys
