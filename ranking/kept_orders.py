"""In which order a list was begun, so that its later pages go on from there whatever has been learnt meanwhile."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from ranking.queries import SearchRequest

_SECONDS = 600.0
_MOST_BYTES = 32 * 2**20  # about 20,000 lists of a hundred products
_PICTURE_SIZE = (32, 32)


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """`product_ids`: those that were re-ranked, best first. `left_out`: whatever was not to be shown."""

    product_ids: Sequence[str]
    left_out: Collection[str]


class KeptOrders:
    """Of the newest first pages, by list. In the memory of this process: another server knows nothing of them.

    Safe to call from several threads. `monotonic` gives seconds.
    """

    def __init__(
        self,
        seconds: float = _SECONDS,
        most_bytes: int = _MOST_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._monotonic = monotonic
        self._orders: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()  # with the time of each, oldest first
        self._bytes = 0
        self._lock = threading.Lock()

    def keep(self, of: bytes, order: KeptOrder) -> None:
        state = orjson.dumps([list(order.product_ids), list(order.left_out)])
        with self._lock:
            self._forget(of)
            self._orders[of] = (self._monotonic(), state)
            self._bytes += len(state)
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._orders)))

    def get(self, of: bytes) -> KeptOrder | None:
        with self._lock:
            kept_at, state = self._orders.get(of, (0.0, b""))
        if not state or self._monotonic() - kept_at > self._seconds:
            return None
        product_ids, left_out = orjson.loads(state)
        return KeptOrder(product_ids, frozenset(left_out))

    def _forget(self, of: bytes) -> None:
        _, state = self._orders.pop(of, (0.0, b""))
        self._bytes -= len(state)


def list_of(asked: SearchRequest, shopper: str, session: str) -> bytes:
    """The same for all pages of what one shopper asked for in one session."""
    said = (
        shopper,
        session,
        asked.text,
        tuple(asked.filters),
        asked.language,
        asked.sort,
        asked.interpret,
        tuple(asked.as_words),
    )
    picture = asked.image.resize(_PICTURE_SIZE).tobytes() if asked.image is not None else b""
    return blake2b(repr(said).encode("utf-8", "surrogatepass") + picture, digest_size=16).digest()
