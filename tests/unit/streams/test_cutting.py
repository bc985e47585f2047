"""Cuts are full or due, keep the order, and acknowledge a fetch when its last record is done."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from streams.cutting import Cut, Cutter, Fetch


@dataclass
class Acknowledgement:
    count: int = 0

    def __call__(self) -> None:
        self.count += 1


def fetch(*records: str) -> tuple[Fetch, Acknowledgement]:
    acknowledgement = Acknowledgement()
    return Fetch(list(records), acknowledgement, received_at=0.0), acknowledgement  # type: ignore[arg-type]


def test_a_full_cut_goes_at_once_and_the_rest_waits() -> None:
    cutter = Cutter(size=2, wait_seconds=10)
    cutter.add(fetch("a", "b", "c")[0], now=100)

    first = cutter.cut(now=100)

    assert first is not None
    assert first.records == ["a", "b"]
    assert cutter.cut(now=109.9) is None
    last = cutter.cut(now=110)
    assert last is not None
    assert last.records == ["c"]


def test_nothing_is_due_while_nothing_is_held() -> None:
    cutter = Cutter(size=2, wait_seconds=1)

    assert cutter.due_at() is None
    assert cutter.cut(now=5) is None


def test_small_fetches_are_put_together() -> None:
    cutter = Cutter(size=3, wait_seconds=1)
    for record in "abc":
        cutter.add(fetch(record)[0], now=0)

    cut = cutter.cut(now=0)

    assert cut is not None
    assert cut.records == ["a", "b", "c"]


def test_a_fetch_is_acknowledged_once_when_its_last_share_is_done() -> None:
    cutter = Cutter(size=2, wait_seconds=0)
    held, acknowledgement = fetch("a", "b", "c")
    cutter.add(held, now=0)
    cuts = [cutter.cut(now=0), cutter.cut(now=0)]

    for cut in reversed(cuts):
        assert acknowledgement.count == 0
        assert cut is not None
        for share, count in cut.shares:
            share.done(count)

    assert acknowledgement.count == 1


@given(
    sizes=st.lists(st.integers(min_value=1, max_value=40), max_size=30),
    size=st.integers(min_value=1, max_value=17),
)
def test_every_record_is_cut_once_and_in_order(sizes: list[int], size: int) -> None:
    cutter = Cutter(size, wait_seconds=0)
    fetches = [fetch(*(f"{number}-{position}" for position in range(length))) for number, length in enumerate(sizes)]
    for one, _ in fetches:
        cutter.add(one, now=0)

    cuts: list[Cut] = []
    while (cut := cutter.cut(now=0)) is not None:
        cuts.append(cut)

    assert [record for cut in cuts for record in cut.records] == [
        record for one, _ in fetches for record in one.records
    ]
    assert all(len(cut.records) == size for cut in cuts[:-1])
    for cut in cuts:
        for share, count in cut.shares:
            share.done(count)
    assert all(acknowledgement.count == 1 for _, acknowledgement in fetches)
