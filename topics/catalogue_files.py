"""Products out of files: JSON lines, CSV, TSV (each also .gz) and Parquet. A bad line is told apart, never the end."""

import csv
import gzip
import importlib
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import orjson

MAX_LINE_BYTES = 16_000_000
_SURROGATES = range(0xDC80, 0xDD00)
_JSON_LINES = {".jsonl", ".ndjson", ".json"}
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


class CatalogueFileError(Exception):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One product as the shop wrote it. `line` counts from 1 (in Parquet: rows)."""

    line: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no record, and why."""

    line: int
    reason: str


class CatalogueFile:
    """A file of products, read once from front to back; use as a context manager. Raises CatalogueFileError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._suffix, self._packed = _kind(path)
        try:
            self._raw: BinaryIO = path.open("rb")
        except OSError as error:
            raise CatalogueFileError(f"{path}: {error.strerror}") from None
        self.size_bytes = max(1, path.stat().st_size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.close()

    @property
    def read_bytes(self) -> int:
        """How much of `size_bytes` has been read."""
        return self._raw.tell()

    def records(self) -> Iterator[Record | BadLine]:
        """Every line that is not empty, in order. An empty CSV cell is an absent field."""
        if self._suffix == ".parquet":
            yield from _parquet_rows(self._raw, self._path)
            return
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if self._packed else self._raw
        try:
            if self._suffix in _SEPARATORS:
                yield from _table_rows(stream, _SEPARATORS[self._suffix], self._path)
            else:
                yield from _json_lines(stream)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise CatalogueFileError(f"{self._path}: not a whole gzip file ({error}); fetch or pack it again") from None


def _kind(path: Path) -> tuple[str, bool]:
    """The suffix that says how to read the file, and whether it is packed with gzip."""
    packed = path.suffix.lower() == ".gz"
    suffix = path.with_suffix("").suffix.lower() if packed else path.suffix.lower()
    known = _JSON_LINES | _SEPARATORS.keys() | (set() if packed else {".parquet"})
    if suffix not in known:
        raise CatalogueFileError(f"{path}: give a .jsonl, .csv or .tsv file (each also .gz), or a .parquet file")
    return suffix, packed


def _json_lines(stream: BinaryIO) -> Iterator[Record | BadLine]:
    line_number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        line_number += 1
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield BadLine(line_number, f"longer than {MAX_LINE_BYTES} bytes")
            continue
        if line_number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield _json_record(line_number, line)


def _json_record(line_number: int, line: bytes) -> Record | BadLine:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BadLine(line_number, f"not JSON: {error}")
    if isinstance(fields, list):
        return BadLine(line_number, "a JSON array; write one object a line (jq -c '.[]' does it)")
    if not isinstance(fields, dict):
        return BadLine(line_number, "not a JSON object")
    return Record(line_number, fields)


def _table_rows(stream: BinaryIO, separator: str, path: Path) -> Iterator[Record | BadLine]:
    # A byte that is no UTF-8 must spoil its own row only, so it is kept as a surrogate and looked for afterwards.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(text, delimiter=separator, strict=True)
    try:
        names = _column_names(rows, path)
        while True:
            line_number = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadLine(line_number, f"not a row: {error}")
                continue
            if row:
                yield _table_record(line_number, names, row)
    finally:
        text.detach()  # the file is closed by its owner


def _column_names(rows: Any, path: Path) -> list[str]:
    try:
        names = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise CatalogueFileError(f"{path}: the first line is no header: {error}") from None
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not any(names):
        raise CatalogueFileError(f"{path}: the first line must name the columns")
    if repeated:
        raise CatalogueFileError(f"{path}: column {repeated[0]!r} is there twice; rename one")
    return names


def _table_record(line_number: int, names: list[str], row: list[str]) -> Record | BadLine:
    if len(row) != len(names):
        return BadLine(line_number, f"{len(row)} cells, the header names {len(names)} columns")
    if any(ord(character) in _SURROGATES for cell in row if not cell.isascii() for character in cell):
        return BadLine(line_number, "not UTF-8; save the file in that encoding")
    return Record(line_number, {name: cell for name, cell in zip(names, row, strict=True) if cell != ""})


def _parquet_rows(raw: BinaryIO, path: Path) -> Iterator[Record]:
    try:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise CatalogueFileError(f"{path}: to read Parquet, install pyarrow (pip install pyarrow)") from None
    row_number = 0
    try:
        for batch in parquet.ParquetFile(raw).iter_batches(batch_size=1024, use_threads=False):
            for row in batch.to_pylist():
                row_number += 1
                yield Record(row_number, {name: value for name, value in row.items() if value is not None})
    except arrow.ArrowInvalid as error:
        raise CatalogueFileError(f"{path}: not a readable Parquet file: {error}") from None
