"""Reading product files: every good line is a record, every bad one is told with its number, and reading goes on."""

import gzip
from pathlib import Path

import pytest

from topics import catalogue_files
from topics.catalogue_files import BadLine, CatalogueFile, CatalogueFileError, Record


def read(path: Path, content: bytes) -> list[Record | BadLine]:
    path.write_bytes(content)
    with CatalogueFile(path) as file:
        found = list(file.records())
        assert file.read_bytes == file.size_bytes or not content
    return found


def test_json_lines_with_mistakes(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"id": "a"}\n\n{"id": }\n[1]\n7\n{"id": "\xff"}\r\n{"price": NaN}\n{"id": "b"}'

    found = read(tmp_path / "products.jsonl", content)

    assert [item.line for item in found] == [1, 3, 4, 5, 6, 7, 8]
    assert [item.fields for item in found if isinstance(item, Record)] == [{"id": "a"}, {"id": "b"}]
    reasons = [item.reason for item in found if isinstance(item, BadLine)]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "not JSON",
        "a JSON array; write one object a line (jq -c '.[]' does it)",
        "not a JSON object",
        "not JSON",
        "not JSON",
    ]


def test_a_line_without_end_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_files, "MAX_LINE_BYTES", 100)
    content = b'{"id": "' + b"x" * 1000 + b'"}\n{"id": "b"}\n' + b"y" * 350

    found = read(tmp_path / "products.ndjson", content)

    assert found == [
        BadLine(1, "longer than 100 bytes"),
        Record(2, {"id": "b"}),
        BadLine(3, "longer than 100 bytes"),
    ]


def test_csv_cells_that_are_empty_are_absent(tmp_path: Path) -> None:
    found = read(tmp_path / "products.csv", b'\xef\xbb\xbfid,title,brand\r\na,"Red, long",\r\nb,,X\r\n')

    assert found == [Record(2, {"id": "a", "title": "Red, long"}), Record(3, {"id": "b", "brand": "X"})]


def test_a_csv_row_over_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    found = read(tmp_path / "products.csv", b'id,title\na,"two\nlines"\nb,one\n')

    assert found == [Record(2, {"id": "a", "title": "two\nlines"}), Record(4, {"id": "b", "title": "one"})]


def test_bad_csv_rows_spoil_only_themselves(tmp_path: Path) -> None:
    content = b'id,title\na\nb,\xff\xfe\nc,"x"y\nd,1,2\ne,good \xc3\xa9\n'

    found = read(tmp_path / "products.csv", content)

    assert found[-1] == Record(6, {"id": "e", "title": "good é"})
    bad = {item.line: item.reason for item in found if isinstance(item, BadLine)}
    assert list(bad) == [2, 3, 4, 5]
    assert "the header names 2 columns" in bad[2]
    assert "UTF-8" in bad[3]
    assert "not a row" in bad[4]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(tmp_path: Path) -> None:
    rows = b"".join(b"p%d,%s\n" % (number, b"x" * 100) for number in range(3000))

    found = read(tmp_path / "products.csv", b'id,title\na,"open\n' + rows)

    assert isinstance(found[0], BadLine)
    assert sum(isinstance(item, Record) for item in found) > 1500


def test_tab_separated_and_packed(tmp_path: Path) -> None:
    path = tmp_path / "products.tsv.gz"

    assert read(path, gzip.compress(b"id\ttitle\na\tRed, long\n")) == [Record(2, {"id": "a", "title": "Red, long"})]


@pytest.mark.parametrize("cut", [5, 40, -4])
def test_a_cut_archive_says_so(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b'{"id": "a"}\n' * 1000)
    path = tmp_path / "products.jsonl.gz"
    path.write_bytes(packed[:cut])

    with CatalogueFile(path) as file, pytest.raises(CatalogueFileError, match="not a whole gzip file"):
        list(file.records())


def test_a_broken_archive_says_so(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(b'{"id": "%d"}\n' % number for number in range(5000))))
    packed[100:200] = bytes(100)
    path = tmp_path / "products.jsonl.gz"
    path.write_bytes(packed)

    with CatalogueFile(path) as file, pytest.raises(CatalogueFileError, match="not a whole gzip file"):
        list(file.records())


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"", "must name the columns"), (b"id,id\n", "twice"), (b'"id\n', "no header")]
)
def test_a_csv_without_a_usable_header_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(content)

    with CatalogueFile(path) as file, pytest.raises(CatalogueFileError, match=complaint):
        list(file.records())


@pytest.mark.parametrize("name", ["products.xlsx", "products", "products.parquet.gz", "products.gz"])
def test_other_kinds_are_refused_with_those_that_can_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")

    with pytest.raises(CatalogueFileError, match=r"\.jsonl, \.csv or \.tsv"):
        CatalogueFile(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueFileError, match=r"none\.csv: No such file"):
        CatalogueFile(tmp_path / "none.csv")


def test_parquet_rows(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "products.parquet"
    parquet.write_table(arrow.table({"id": ["a", "b"], "price": [1.5, None], "tags": [["x"], []]}), path)

    with CatalogueFile(path) as file:
        assert list(file.records()) == [
            Record(1, {"id": "a", "price": 1.5, "tags": ["x"]}),
            Record(2, {"id": "b", "tags": []}),
        ]


def test_a_file_that_is_no_parquet_says_so(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "products.parquet"
    path.write_bytes(b"not parquet at all")

    with CatalogueFile(path) as file, pytest.raises(CatalogueFileError, match="not a readable Parquet file"):
        list(file.records())
