"""What a consumer group calls a worker, kept over its restarts by the parent of `millrace worker --restart`."""

import mmap

_BYTES = 512  # Kafka's own ids have some 60


class Membership:
    """Memory that a process shares with those that it forks. Empty until a group has given an id.

    A consumer that joins with the id of one that was killed takes its place at once; with a new id it waits until the
    group has missed the other one for the session timeout.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _BYTES)

    @property
    def member_id(self) -> str:
        return self._memory[:].rstrip(b"\0").decode()

    @member_id.setter
    def member_id(self, member_id: str) -> None:
        """One that is too long is not kept."""
        encoded = member_id.encode()
        self._memory[:] = (encoded if len(encoded) <= _BYTES else b"").ljust(_BYTES, b"\0")
