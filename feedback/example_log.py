"""Joined lists kept for training: Parquet files in a folder for each event day, wherever fsspec reaches."""

import hashlib
import math
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from feedback.erasure_marks import Span
from feedback.example_rows import SCHEMA, day_of, during, newest, newest_rows, to_lists, to_table, without
from feedback.example_settings import ExampleLogSettings
from feedback.list_erasure import erased_at
from feedback.log_errors import LogUnavailable
from feedback.store import ProfileStore
from topics.feedback import JoinedList

ErasedAt = Callable[[Collection[str]], Mapping[str, float]]

_DAY = "day="
_DAY_FOLDER = re.compile(r"day=(\d{4}-\d\d-\d\d)")
_ENDING = ".parquet"
_UNFINISHED = ".unfinished-"  # readers leave names with a dot in front alone
_SMALL_BYTES = 64 * 2**20
_MOST_LOOKS = 20


class ExampleLog:
    """The log at `url`. A file once written changes only where a person is erased, so that writers, compactions and
    readers of several processes need no lock.

    A process that ends in the middle leaves whole files, a row more than once at worst: readers take the highest
    revision of each list. `erased_at` tells, of some shoppers, who was erased, and when (seconds since 1970); it is
    asked before and after each file, so that nothing of before comes back. Every method raises LogUnavailable, and
    what `erased_at` raises.
    """

    def __init__(self, url: str, erased_at: ErasedAt) -> None:
        self._erased_at = erased_at
        with _explained(url):
            self._files, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")

    def write(self, lists: Sequence[JoinedList], name: str) -> int:
        """Keep those that have a query. The same lists under the same name are the same files. Returns the rows."""
        by_day: defaultdict[date, list[JoinedList]] = defaultdict(list)
        for joined in newest(lists):
            if joined.at is not None and (day := day_of(joined.at)) is not None:
                by_day[day].append(joined)
        return sum(self._put(day, f"lists-{_digest([name])}", to_table(kept)) for day, kept in by_day.items())

    def days(self) -> list[date]:
        with _explained(self._root):
            found = [_DAY_FOLDER.fullmatch(_last(entry["name"])) for entry in self._entries(self._root)]
        return sorted(date.fromisoformat(match[1]) for match in found if match)

    def read(self, first: date, last: date, suspects: bool = False) -> Iterator[JoinedList]:
        """The lists shown on these days, both included, in the order of time: each once, as it is known now.

        Those of bots and the like only where `suspects` are asked for, too.
        """
        for day in self.days():
            if first <= day <= last:
                table = self.table(day)
                yield from (joined for joined in to_lists(table) if suspects or not joined.suspect)

    def table(self, day: date) -> pa.Table:
        """The rows of a day, suspect ones included, as `read` orders them."""
        tables = [table for _, table in self._tables(day, lambda: None)]
        return newest_rows(pa.concat_tables([SCHEMA.empty_table(), *tables]))

    def compact(self, day: date, least: int = 2, on_file: Callable[[], None] = lambda: None) -> int:
        """Put the small files of a day together, where there are at least so many. Returns how many there were."""
        inputs = self._tables(day, on_file, small=True)
        if len(inputs) < max(2, least):
            return 0
        paths = [path for path, _ in inputs]
        self._put(day, f"compacted-{_digest(map(_last, paths))}", newest_rows(pa.concat_tables(t for _, t in inputs)))
        self._remove(paths)
        return len(paths)

    def erase(
        self, shopper: str, after: float, until: float = math.inf, on_file: Callable[[], None] = lambda: None
    ) -> int:
        """Take out what the shopper was shown not later than `after`, or later than `until`. Returns the rows, repeats
        included.

        What a writer that was killed left unfinished goes, too, whosever it is; one that lives writes it again.
        """
        removed = 0
        for day in self.days():
            self._remove(self._unfinished(day))
            for path, table in self._tables(day, on_file, shopper):
                kept = during(table, shopper, Span(after, until))
                if len(kept) < len(table):
                    removed += len(table) - len(kept)
                    self._replace(path, kept)
        return removed

    def count(
        self, shopper: str, after: float, until: float = math.inf, on_file: Callable[[], None] = lambda: None
    ) -> int:
        """How many rows `erase` would take out."""
        return sum(
            len(table) - len(during(table, shopper, Span(after, until)))
            for day in self.days()
            for _, table in self._tables(day, on_file, shopper)
        )

    def _put(self, day: date, name: str, table: pa.Table) -> int:
        path = f"{self._root}/{_DAY}{day.isoformat()}/{name}{_ENDING}"
        shoppers = frozenset(table["shopper"].to_pylist()) - {""}
        erased = self._erased_at(shoppers)
        while True:
            table = without(table, erased)
            self._replace(path, table)
            before, erased = erased, self._erased_at(shoppers)
            if before == erased:
                return len(table)

    def _replace(self, path: str, table: pa.Table) -> None:
        """All of it or nothing; a file without rows goes."""
        if not len(table):
            self._remove([path])
            return
        folder = path.rpartition("/")[0]
        unfinished = f"{folder}/{_UNFINISHED}{uuid.uuid4().hex}"
        with _explained(path):
            self._files.makedirs(folder, exist_ok=True)
            try:
                with self._files.open(unfinished, "wb") as file:
                    pq.write_table(table, file, compression="zstd")
                self._files.mv(unfinished, path)
            except BaseException:
                with suppress(OSError):
                    self._files.rm(unfinished)
                raise

    def _tables(
        self, day: date, on_file: Callable[[], None], shopper: str = "", small: bool = False
    ) -> list[tuple[str, pa.Table]]:
        """The files of a day as of one moment; only those that name a `shopper`, or only the small ones."""
        folder = f"{self._root}/{_DAY}{day.isoformat()}"
        for _ in range(_MOST_LOOKS):
            found = []
            try:
                with _explained(folder):
                    for path in self._paths(folder, small):
                        on_file()
                        if (table := self._table(path, shopper)) is not None:
                            found.append((path, table))
                return found
            except LogUnavailable as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise  # otherwise a compaction has put it into another file meanwhile
        raise LogUnavailable(f"the files of {folder} changed whenever they were read")

    def _paths(self, folder: str, small: bool) -> list[str]:
        entries = [entry for entry in self._entries(folder) if _is_finished(entry["name"])]
        return sorted(entry["name"] for entry in entries if not small or entry["size"] < _SMALL_BYTES)

    def _unfinished(self, day: date) -> list[str]:
        folder = f"{self._root}/{_DAY}{day.isoformat()}"
        with _explained(folder):
            return [entry["name"] for entry in self._entries(folder) if _last(entry["name"]).startswith(_UNFINISHED)]

    def _table(self, path: str, shopper: str) -> pa.Table | None:
        """Starts no thread of Arrow's: one that is left at the end of the interpreter may abort it (arrow#34314)."""
        parquet = pq.ParquetFile(pa.BufferReader(self._files.cat_file(path)))
        if shopper and shopper not in parquet.read(columns=["shopper"], use_threads=False)["shopper"].to_pylist():
            return None
        return parquet.read(use_threads=False).cast(SCHEMA)

    def _remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            with _explained(path), suppress(FileNotFoundError):
                self._files.rm(path)

    def _entries(self, folder: str) -> list[dict[str, Any]]:
        self._files.invalidate_cache()  # some remember what they listed
        try:
            entries: list[dict[str, Any]] = self._files.ls(folder, detail=True)
        except FileNotFoundError:
            return []
        return entries


def open_example_log(settings: ExampleLogSettings, store: ProfileStore) -> ExampleLog:
    """Checked against the marks in the store of who has been erased. Raises LogUnavailable."""
    return ExampleLog(settings.url, partial(erased_at, store))


def local_folder(settings: ExampleLogSettings) -> Path | None:
    """None where the log is not on this machine. Raises LogUnavailable."""
    with _explained(settings.url):
        files, root = fsspec.core.url_to_fs(settings.url)
    return Path(root) if isinstance(files, LocalFileSystem) else None


def _is_finished(path: str) -> bool:
    name = _last(path)
    return name.endswith(_ENDING) and not name.startswith(".")


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _digest(names: Any) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ImportError, ValueError) as error:
        raise LogUnavailable(f"the example log at {where} cannot be used: {error}") from error
