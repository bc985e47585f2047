"""How often products were shown and acted upon: whole counts, and counts that fade."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from feedback.contexts import Daypart
from feedback.decay import Floats, Integers, add_to_sums, left_after

_VERSION = 1
_LEAST_RATE = 1e-4
_NEARLY_NONE = 1e-300  # of none tried, none succeeded


class Counter(IntEnum):
    """Columns of counts. Each counts once for a list and product. EXAMINED is how much of the impressions was looked
    at: their sum weighed by the chance that a place is examined. EXPECTED_CLICKS is how many
    clicks anybody's products would have had in the product's places: the sum of the shares of its lists that were
    clicked (clicks over expected clicks: Zhang and Jones, WWW 2007).
    """

    IMPRESSIONS = 0
    CLICKS = 1
    ADD_TO_CARTS = 2
    PURCHASES = 3
    EXAMINED = 4
    EXPECTED_CLICKS = 5


_WHOLE = int(Counter.EXAMINED)  # counters before it are integers


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is to be added, a line each: to which state, in which counter, when it happened, how much, and at what
    daypart; below 0: at none that is known.
    """

    states: Integers
    counters: Integers
    at: Floats
    amounts: Floats
    dayparts: Integers


@dataclass(frozen=True, slots=True)
class ProductCounts:
    """`totals`: products x counters before EXAMINED; `weighed`: products x counters from there on; `sums`: products x
    half lives x counters, as they were `ages` (seconds, one for each product) before the moment that was asked for;
    `half_lives` in seconds; `by_daypart`: products x dayparts x counters before EXAMINED.
    """

    totals: Integers
    weighed: Floats
    sums: Floats
    ages: Floats
    half_lives: Floats
    by_daypart: Integers

    def __len__(self) -> int:
        return len(self.totals)

    @property
    def faded(self) -> Floats:
        """Products x half lives x counters."""
        faded: Floats = self.sums * left_after(self.ages[:, np.newaxis], self.half_lives)[:, :, np.newaxis]
        return faded

    def column(self, counter: Counter, half_life: int | None = None) -> Floats:
        """Of each product; `half_life` is a place in the settings, None: nothing fades."""
        if half_life is not None:
            faded: Floats = self.sums[:, half_life, counter] * left_after(self.ages, self.half_lives[half_life])
            return faded
        if counter < _WHOLE:
            return self.totals[:, counter].astype(np.float64)
        return self.weighed[:, counter - _WHOLE]

    def at_daypart(self, daypart: Daypart, counter: Counter) -> Floats:
        """Of each product; `counter` is one before EXAMINED. Nothing fades."""
        return self.by_daypart[:, daypart, counter].astype(np.float64)

    def rows(self, which: slice) -> "ProductCounts":
        return ProductCounts(
            self.totals[which],
            self.weighed[which],
            self.sums[which],
            self.ages[which],
            self.half_lives,
            self.by_daypart[which],
        )


class CountStates:
    """Counts to bytes and back, many at once. States that were kept with other half lives have whole counts only."""

    def __init__(self, half_lives: Sequence[float]) -> None:
        """`half_lives` in seconds."""
        self._half_lives = np.array(half_lives, np.float64)
        self._mark = crc32(self._half_lives.tobytes())
        self._dtype = _record(len(half_lives))
        self._empty = np.zeros((), self._dtype).tobytes()

    def counts(self, states: Sequence[bytes | None], at: float) -> ProductCounts:
        """As of `at` (seconds since 1970); zeros where there is no state."""
        records = self._decoded(states)
        return ProductCounts(
            records["totals"],
            records["weighed"],
            records["faded"],
            at - records["as_of"],
            self._half_lives,
            records["by_daypart"],
        )

    def added(self, states: Sequence[bytes | None], amounts: Amounts) -> list[bytes | None]:
        """The states after adding; None where nothing is left to count."""
        records = self._decoded(states).copy()
        whole = amounts.counters < _WHOLE
        counts = np.rint(amounts.amounts[whole]).astype(np.int64)
        np.add.at(records["totals"], (amounts.states[whole], amounts.counters[whole]), counts)
        timed = whole & (amounts.dayparts >= 0)
        places = amounts.states[timed], amounts.dayparts[timed], amounts.counters[timed]
        np.add.at(records["by_daypart"], places, counts[timed[whole]])
        weighed = amounts.counters[~whole] - _WHOLE
        np.add.at(records["weighed"], (amounts.states[~whole], weighed), amounts.amounts[~whole])
        faded, as_of = records["faded"], records["as_of"]
        add_to_sums(faded, as_of, amounts.states, amounts.counters, amounts.at, amounts.amounts, self._half_lives)
        self._clear_rounding(records)
        records["version"], records["mark"] = _VERSION, self._mark
        size = self._dtype.itemsize
        data = records.tobytes()
        kept = np.flatnonzero(records["totals"].any(axis=1))
        after: list[bytes | None] = [None] * len(records)
        for row in kept.tolist():
            after[row] = data[row * size : (row + 1) * size]
        return after

    @staticmethod
    def _clear_rounding(records: NDArray[Any]) -> None:
        """A counter that is back at zero leaves no rounding behind, nor one that began anew a negative sum."""
        for sums in ("weighed", "faded"):
            np.maximum(records[sums], 0.0, out=records[sums])
        none = records["totals"] == 0
        records["faded"][:, :, :_WHOLE] *= ~none[:, np.newaxis, :]
        seen = ~none[:, Counter.IMPRESSIONS]
        records["weighed"] *= seen[:, np.newaxis]
        records["faded"][:, :, _WHOLE:] *= seen[:, np.newaxis, np.newaxis]

    def _decoded(self, states: Sequence[bytes | None]) -> NDArray[Any]:
        size = self._dtype.itemsize
        data = b"".join([self._empty if state is None else state for state in states])
        if len(data) == size * len(states):
            records = np.frombuffer(data, self._dtype)
            known = (records["version"] == _VERSION) & (records["mark"] == self._mark)
            if bool((known | (records["version"] == 0)).all()):
                return records
        return np.array([self._converted(state or self._empty) for state in states], self._dtype).reshape(len(states))

    def _converted(self, state: bytes) -> NDArray[Any]:
        """Raises ValueError for a state of another version."""
        head = np.frombuffer(state, _HEAD, 1)[0]
        if head["version"] not in (0, _VERSION):
            raise ValueError(f"counts of version {head['version']} are not known here")
        if head["version"] == 0 or head["mark"] == self._mark:
            return np.frombuffer(state, self._dtype, 1)[0]  # type: ignore[no-any-return]
        record = np.zeros((), self._dtype)
        for field in _HEAD.names or ():
            record[field] = head[field]
        record["mark"] = self._mark
        return record


def smoothed_rates(successes: Floats, trials: Floats, prior_rate: Floats | float, prior_trials: float) -> Floats:
    """Rates as if each had had `prior_trials` more at the prior rate; what succeeded was tried at least as often."""
    tried = np.maximum(np.maximum(trials, successes) + prior_trials, _NEARLY_NONE)
    rates: Floats = (successes + prior_trials * prior_rate) / tried
    return rates


def odds(rates: Floats) -> Floats:
    """Of rates that are taken to be neither 0 nor 1."""
    rates = np.minimum(np.maximum(rates, _LEAST_RATE), 1 - _LEAST_RATE)
    return rates / (1 - rates)


_HEAD_FIELDS: list[Any] = [
    ("version", "u1"),
    ("mark", "<u4"),
    ("as_of", "<f8"),
    ("totals", "<i8", (_WHOLE,)),
    ("weighed", "<f8", (len(Counter) - _WHOLE,)),
    ("by_daypart", "<i4", (len(Daypart), _WHOLE)),
]
_HEAD = np.dtype(_HEAD_FIELDS)


def _record(half_lives: int) -> np.dtype[Any]:
    return np.dtype([*_HEAD_FIELDS, ("faded", "<f8", (half_lives, len(Counter)))])
