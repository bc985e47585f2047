"""The example log: one row for each list, whatever comes twice, ends in the middle, is put together or erased."""

import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.example_log import ExampleLog
from feedback.log_errors import LogUnavailable
from topics.feedback import JoinedList, ListAction, ShownProduct

DAY = 86_400.0
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
TODAY, TOMORROW = date(2026, 11, 20), date(2026, 11, 21)


def joined(query_id: str, revision: int = 1, at: float | None = 60, shopper: str = "ann", **said: Any) -> JoinedList:
    """`at`: seconds after the midnight of TODAY."""
    return JoinedList(
        query_id=query_id,
        revision=revision,
        shopper=shopper,
        at=None if at is None else MIDNIGHT + at,
        shown=(ShownProduct(product_id="a", position=1, propensity=0.5), ShownProduct(product_id="b", position=2)),
        actions=(ListAction(event_id="1", action="click", product_id="a", at=MIDNIGHT, dwell_seconds=2.5),),
        releases={"ranker": "7", "text": "x"},
        context={"place": "Berlin"},
        **said,
    )


def nobody(shoppers: Collection[str]) -> Mapping[str, float]:
    return {}


@pytest.fixture
def log(tmp_path: Path) -> ExampleLog:
    return ExampleLog(str(tmp_path / "examples"), nobody)


def read(log: ExampleLog, **options: Any) -> list[JoinedList]:
    return list(log.read(date.min, date.max, **options))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_list_is_read_as_it_was_written(log: ExampleLog) -> None:
    lists = [joined("q1", arm="B", late=2, text="红色", session="s"), joined("q2", at=61)]

    assert log.write(lists, "x") == 2
    assert read(log) == lists


def test_lists_lie_by_the_day_on_which_they_were_shown_and_come_in_the_order_of_time(log: ExampleLog) -> None:
    log.write([joined("c", at=DAY), joined("b", at=5), joined("a", at=DAY - 1), joined("d", at=5)], "x")

    assert log.days() == [TODAY, TOMORROW]
    assert [one.query_id for one in read(log)] == ["b", "d", "a", "c"]
    assert [one.query_id for one in log.read(TOMORROW, TOMORROW)] == ["c"]


def test_the_highest_revision_is_the_one_row(log: ExampleLog) -> None:
    log.write([joined("q", 2), joined("q", 3, late=1), joined("q", 1)], "x")
    log.write([joined("q", 2)], "y")

    assert [(one.revision, one.late) for one in read(log)] == [(3, 1)]


def test_lists_without_a_query_are_no_rows(log: ExampleLog) -> None:
    assert log.write([joined("event:1", at=None)], "x") == 0
    assert log.days() == []


def test_a_time_that_no_calendar_has_is_left_out(log: ExampleLog) -> None:
    assert log.write([joined("far", at=1e15), joined("q")], "x") == 1


def test_bots_are_read_on_request_only(log: ExampleLog) -> None:
    log.write([joined("bot", suspect="burst"), joined("q")], "x")

    assert [one.query_id for one in read(log)] == ["q"]
    assert [one.query_id for one in read(log, suspects=True)] == ["bot", "q"]


def test_a_repeat_is_the_same_file(log: ExampleLog, tmp_path: Path) -> None:
    for _ in range(2):
        log.write([joined("q")], "0:3@5-9@7")

    assert len(files(tmp_path)) == 1


def test_what_was_not_finished_is_not_read(log: ExampleLog, tmp_path: Path) -> None:
    log.write([joined("q")], "x")
    (written,) = files(tmp_path)
    written.with_name(".unfinished-1.parquet").write_bytes(b"PAR1")

    assert len(read(log)) == 1
    assert log.compact(TODAY) == 0


def test_small_files_are_put_together_and_say_the_same(log: ExampleLog, tmp_path: Path) -> None:
    for number in range(4):
        log.write([joined(f"q{number}"), joined("q", number + 1), joined("late", at=DAY)], f"{number}")
    before = read(log)

    assert log.compact(TODAY, least=5) == 0
    assert log.compact(TODAY, least=4) == 4
    assert read(log) == before
    assert len([path for path in files(tmp_path) if TODAY.isoformat() in str(path)]) == 1
    assert log.compact(TODAY) == 0


def test_a_compaction_that_ended_in_the_middle_changes_nothing(log: ExampleLog, tmp_path: Path) -> None:
    for number in range(3):
        log.write([joined("q", number + 1), joined(f"q{number}")], f"{number}")
    before, kept = read(log), {path: path.read_bytes() for path in files(tmp_path)}
    log.compact(TODAY)
    for path, content in list(kept.items())[1:]:
        path.write_bytes(content)  # as if they had not been removed yet

    assert read(log) == before
    log.compact(TODAY)
    assert read(log) == before


def test_a_file_that_went_into_another_meanwhile_is_looked_for_again(log: ExampleLog, tmp_path: Path) -> None:
    class Busy(ExampleLog):
        compactions = 1

        def _paths(self, folder: str, small: bool) -> list[str]:
            found = super()._paths(folder, small)
            if self.compactions:
                self.compactions -= 1
                log.compact(TODAY)
            return found

    for number in range(3):
        log.write([joined(f"q{number}")], f"{number}")

    assert len(read(Busy(str(tmp_path / "examples"), nobody))) == 3


def test_an_erased_shopper_is_taken_out_of_every_day_up_to_then(log: ExampleLog, tmp_path: Path) -> None:
    log.write([joined("1"), joined("2", at=DAY), joined("3", at=3 * DAY), joined("4", shopper="bob")], "x")
    until = MIDNIGHT + 2 * DAY

    assert log.count("ann", until) == 2
    assert log.erase("ann", until) == 2
    assert (log.count("ann", until), log.erase("ann", until)) == (0, 0)
    assert [one.query_id for one in read(log)] == ["4", "3"]
    assert not any(b"ann" in path.read_bytes() for path in files(tmp_path) if "2026-11-23" not in str(path))


def test_an_erasure_takes_what_a_killed_writer_left_unfinished(log: ExampleLog, tmp_path: Path) -> None:
    log.write([joined("q", shopper="ann")], "x")
    (finished,) = files(tmp_path)
    left = finished.with_name(".unfinished-0a")
    left.write_bytes(finished.read_bytes())
    log.erase("bob", MIDNIGHT + DAY)

    assert files(tmp_path) == [finished]


def test_what_is_written_after_the_erasure_of_the_time_before_does_not_come_back(tmp_path: Path) -> None:
    log = ExampleLog(str(tmp_path), lambda shoppers: {"ann": MIDNIGHT + 100} if "ann" in shoppers else {})
    log.write([joined("1", at=100), joined("2", at=101), joined("3", shopper="bob")], "x")

    assert [one.query_id for one in read(log)] == ["3", "2"]


@pytest.mark.parametrize("act", ["write", "compact"])
def test_an_erasure_in_the_middle_of_a_write_or_a_compaction_is_seen(tmp_path: Path, act: str) -> None:
    """It has rewritten what it could see; the new file was not among that."""
    marks: list[Mapping[str, float]] = [{}, {"ann": MIDNIGHT + DAY}, {"ann": MIDNIGHT + DAY}]
    before = ExampleLog(str(tmp_path), nobody)
    if act == "compact":
        before.write([joined("1")], "x")
        before.write([joined("2", shopper="bob")], "y")
    log = ExampleLog(str(tmp_path), lambda shoppers: marks.pop(0))
    if act == "compact":
        log.compact(TODAY)
    else:
        log.write([joined("1"), joined("2", shopper="bob")], "x")

    assert [one.query_id for one in read(log)] == ["2"]
    assert marks == []


@pytest.mark.parametrize("url", ["s4://bucket/examples", "/dev/null/examples"])
def test_a_folder_that_cannot_be_is_told(url: str) -> None:
    with pytest.raises(LogUnavailable, match="examples"):
        ExampleLog(url, nobody).write([joined("q")], "x")


READER = """
import sys
from datetime import date
import psutil
from feedback.example_log import ExampleLog

threads = psutil.Process().num_threads()
lists = list(ExampleLog(sys.argv[1], lambda _: {}).read(date.min, date.max))
print(len(lists), psutil.Process().num_threads() - threads)
"""


def test_reading_leaves_no_thread_that_could_abort_the_end_of_the_interpreter(log: ExampleLog, tmp_path: Path) -> None:
    log.write([joined("q1"), joined("q2")], "x")

    asked = [sys.executable, "-c", READER, str(tmp_path / "examples")]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split() == ["2", "0"]


def test_a_file_that_is_no_parquet_is_told(log: ExampleLog, tmp_path: Path) -> None:
    log.write([joined("q")], "x")
    files(tmp_path)[0].write_bytes(b"no parquet")

    with pytest.raises(LogUnavailable, match="cannot be used"):
        read(log)


def test_it_lies_wherever_fsspec_reaches() -> None:
    log = ExampleLog("memory://bucket/examples", nobody)
    for number in range(3):
        log.write([joined(f"q{number}")], f"{number}")

    assert log.compact(TODAY) == 3
    assert log.erase("ann", MIDNIGHT + DAY) == 3
    assert read(log) == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return iter(lambda: tmp_path_factory.mktemp("log"), None)


writes = st.lists(
    st.lists(st.builds(joined, st.sampled_from("abc"), st.integers(1, 4), st.just(60)), max_size=4), max_size=5
)


@settings(max_examples=25)
@given(writes=writes, compacted_after=st.integers(0, 4))
def test_whatever_is_written_there_is_one_row_for_each_list(
    folders: Iterator[Path], writes: list[list[JoinedList]], compacted_after: int
) -> None:
    log = ExampleLog(str(next(folders)), nobody)
    for number, lists in enumerate(writes):
        log.write(lists, f"{number}")
        if number == compacted_after:
            log.compact(TODAY)
    highest: dict[str, int] = {}
    for one in chain.from_iterable(writes):
        highest[one.query_id] = max(one.revision, highest.get(one.query_id, 0))

    assert {one.query_id: one.revision for one in read(log)} == highest
    assert len(read(log)) == len(highest)
