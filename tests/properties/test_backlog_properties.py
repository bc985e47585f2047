"""Whatever the sizes, partitions, delays and consumers: no partition ever holds more than the limit uncommitted."""

import random
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from topics.backlog import Backlog

PARTITIONS = 3


class Broker:
    """A broker whose deliveries and commits happen at random while the sender waits or sends."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.now = 0.0
        self.flying: deque[int] = deque()
        self.logs: list[list[int]] = [[] for _ in range(PARTITIONS)]
        self.offsets = [0] * PARTITIONS
        self.backlog: Backlog | None = None
        self.peak = 0

    def committed(self) -> dict[int, int]:
        return {partition: offset for partition, offset in enumerate(self.offsets) if offset}

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.deliver(self._random.randint(0, 3))
        for partition in range(PARTITIONS):
            behind = len(self.logs[partition]) - self.offsets[partition]
            self.offsets[partition] += self._random.randint(0, min(behind, 2))

    def send(self, size: int) -> None:
        self.flying.append(size)
        self.deliver(self._random.randint(0, 2))

    def deliver(self, count: int) -> None:
        assert self.backlog is not None
        for _ in range(min(count, len(self.flying))):
            size = self.flying.popleft()
            if self._random.random() < 0.1:
                self.backlog.failed(size)
                continue
            partition = self._random.choice([0, 0, 0, 1, 2])
            self.logs[partition].append(size)
            self.peak = max(self.peak, *(sum(log[at:]) for log, at in zip(self.logs, self.offsets, strict=True)))
            self.backlog.delivered(partition, len(self.logs[partition]) - 1, size)


@given(
    sizes=st.lists(st.integers(min_value=1, max_value=300), max_size=120),
    limit=st.integers(min_value=1, max_value=1000),
    seed=st.integers(min_value=0, max_value=2**32),
)
def test_no_partition_holds_more_than_the_limit_and_everything_is_sent(sizes: list[int], limit: int, seed: int) -> None:
    broker = Broker(seed)
    backlog = Backlog(limit, broker.committed, lambda: broker.now, broker.wait, patience_seconds=1e9, group="indexers")
    broker.backlog = backlog

    for size in sizes:
        backlog.make_room(size)
        broker.send(size)
    broker.deliver(len(broker.flying))

    assert broker.peak <= max([limit, *sizes])
