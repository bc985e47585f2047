"""Where the states of the click loop are kept: open lists, profiles, statistics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol


class StoreUnavailable(Exception):
    """The store cannot be reached or does not take what it is given; nothing of the call has been written."""


class Kept(NamedTuple):
    """A state and when it may be forgotten (seconds since 1970, by the clock of the process, not by events)."""

    value: bytes
    expires_at: float


Change = Callable[[Mapping[str, bytes]], Mapping[str, Kept | None]]


class ProfileStore(Protocol):
    """States by key, such as `shopper:<pseudonym>`; what stands before the first colon is the state's kind.

    Safe to call from several threads and processes. Every method raises StoreUnavailable.
    """

    def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The states in the order of `keys`, as of one moment; None where there is none."""
        ...

    def update(self, keys: Sequence[str], change: Change) -> None:
        """All or nothing, as if no one else wrote meanwhile: `change` is given those of `keys` that have a state and
        returns the new ones of some of `keys`, None for those that go. It may be called again when another writer came
        between, so it must not do anything else.
        """
        ...

    def keys(self, kind: str) -> Iterator[str]:
        """The keys of one kind, in no order; what is written meanwhile may be among them or not."""
        ...

    def purge(self, now: float) -> Mapping[str, int]:
        """Forget what has expired; how many of each kind, as far as the store does not forget by itself."""
        ...

    def close(self) -> None: ...
