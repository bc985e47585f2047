"""Records are fetched once for each offset that a group stands at, in bounded time."""

from collections.abc import Iterator, Mapping

from monitoring.offsets import FirstRecord, Place
from monitoring.oldest_records import OldestRecords

A, B = ("a", 0), ("b", 1)


class Partitions:
    """Records by partition; remembers what was asked for. Each fetch takes a second of its clock."""

    def __init__(self, records: dict[Place, list[FirstRecord]], silent: frozenset[Place] = frozenset()) -> None:
        self.records = records
        self.silent = silent
        self.asked: list[dict[Place, int]] = []
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def fetch(self, starts: Mapping[Place, int], seconds: float) -> Iterator[tuple[Place, FirstRecord | None]]:
        assert seconds > 0
        self.asked.append(dict(starts))
        self.now += 1
        for place, offset in starts.items():
            if place not in self.silent:
                yield place, next((one for one in self.records.get(place, ()) if one.offset >= offset), None)


FIRST, THIRD = FirstRecord(1, 10.0), FirstRecord(3, 30.0)
ENDS = {A: (0, 5), B: (0, 2)}


def test_many_partitions_are_fetched_together_and_once() -> None:
    partitions = Partitions({A: [FIRST, THIRD], B: [FIRST]})
    oldest = OldestRecords(partitions.fetch, partitions.clock)
    starts = [(A, 2), (B, 0)]

    assert oldest.read(starts, ENDS, 9) == {(A, 2): THIRD, (B, 0): FIRST}
    assert oldest.read(starts, ENDS, 9) == {(A, 2): THIRD, (B, 0): FIRST}
    assert partitions.asked == [{A: 2, B: 0}]


def test_groups_at_different_offsets_of_a_partition_take_turns() -> None:
    partitions = Partitions({A: [FIRST, THIRD]})
    oldest = OldestRecords(partitions.fetch, partitions.clock)

    assert oldest.read([(A, 2), (A, 0)], ENDS, 9) == {(A, 0): FIRST, (A, 2): THIRD}
    assert partitions.asked == [{A: 0}, {A: 2}]


def test_an_offset_that_moves_is_read_anew_and_the_old_one_forgotten() -> None:
    partitions = Partitions({A: [FIRST, THIRD]})
    oldest = OldestRecords(partitions.fetch, partitions.clock)

    oldest.read([(A, 0)], ENDS, 9)
    assert oldest.read([(A, 2)], ENDS, 9) == {(A, 2): THIRD}
    oldest.read([(A, 0)], ENDS, 9)

    assert partitions.asked == [{A: 0}, {A: 2}, {A: 0}]


def test_a_record_that_was_deleted_is_not_remembered() -> None:
    partitions = Partitions({A: [FIRST, THIRD]})
    oldest = OldestRecords(partitions.fetch, partitions.clock)
    oldest.read([(A, 0)], ENDS, 9)
    del partitions.records[A][0]

    assert oldest.read([(A, 0)], {A: (2, 5)}, 9) == {(A, 0): THIRD}


def test_where_nothing_can_be_read_it_is_asked_again_once_something_is_written() -> None:
    partitions = Partitions({})
    oldest = OldestRecords(partitions.fetch, partitions.clock)

    assert [oldest.read([(A, 4)], ENDS, 9) for _ in range(2)] == [{(A, 4): None}] * 2
    partitions.records[A] = [FirstRecord(5, 50.0)]
    assert oldest.read([(A, 4)], {A: (0, 6)}, 9) == {(A, 4): FirstRecord(5, 50.0)}
    assert partitions.asked == [{A: 4}] * 2


def test_what_gives_no_answer_is_left_out_and_asked_for_next_time() -> None:
    partitions = Partitions({A: [FIRST], B: [FIRST]}, silent=frozenset({B}))
    oldest = OldestRecords(partitions.fetch, partitions.clock)

    assert oldest.read([(A, 0), (B, 0)], ENDS, 9) == {(A, 0): FIRST}
    assert oldest.read([(A, 0), (B, 0)], ENDS, 9) == {(A, 0): FIRST}
    assert partitions.asked == [{A: 0, B: 0}, {B: 0}]


def test_the_time_is_bounded_however_many_groups_there_are() -> None:
    partitions = Partitions({A: [FirstRecord(99, 1.0)]})
    oldest = OldestRecords(partitions.fetch, partitions.clock)

    found = oldest.read([(A, offset) for offset in range(50)], {A: (0, 100)}, 3)

    assert set(found) == {(A, 0), (A, 1), (A, 2)}
