"""The journal of an import: replaced as a whole, refused where it does not fit, one import at a time."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from topics.catalogue_files import BadLine
from topics.import_journal import (
    ImportIdentity,
    ImportJournal,
    JournalEntry,
    JournalError,
    differences,
    head_sha256,
    mapping_sha256,
)
from topics.import_progress import ImportProgress
from topics.mapping import ProductMapping

START = datetime(2026, 11, 20, tzinfo=UTC)
IDENTITY = ImportIdentity(
    size_bytes=9, modified_ns=1, head_sha256="a", mapping_sha256="b", media="", limit=0, cluster="c", topic="t"
)
ENTRY = JournalEntry(file="/shop/products.jsonl", identity=IDENTITY, updated_at=START)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_gives_back_what_was_noted(tmp_path: Path) -> None:
    progress = ImportProgress()
    for line in (1, 2, 3, 4):
        progress.read(line)
        if line != 2:
            progress.sent(line)
    bad = [BadLine(2, "title: Field required"), BadLine(9, "beyond what is settled")]
    progress.refused(bad[0])
    for line in (3, 1):
        progress.acknowledged(line)
    with ImportJournal(tmp_path / "new" / "journal.json", Clock()) as journal:
        assert journal.read() is None
        journal.begin(ENTRY)
        journal.end(progress, bad, finished=False)
        entry = journal.read()

    assert entry is not None
    assert (entry.line, entry.acknowledged, entry.refused, entry.reserved_line) == (3, 2, {"title": 1}, 4)
    assert entry.bad_lines == bad[:1]
    assert (entry.identity, entry.updated_at, entry.finished) == (IDENTITY, START, False)
    assert not list(tmp_path.rglob("*.new"))
    resumed = entry.progress()
    assert (resumed.counts.read, resumed.counts.sent, resumed.counts.acknowledged) == (3, 2, 2)


def test_it_is_written_each_second_and_before_a_line_that_is_not_reserved(tmp_path: Path) -> None:
    clock = Clock()
    progress = ImportProgress()
    progress.read(1)
    with ImportJournal(tmp_path / "journal.json", clock) as journal:
        journal.begin(ENTRY)

        def noted(line: int) -> tuple[int, int]:
            journal.note(progress, [], line)
            entry = journal.read()
            assert entry is not None
            return entry.line, entry.reserved_line

        assert noted(1) == (0, 1_001)  # nothing goes out that is not reserved
        progress.sent(1)
        progress.acknowledged(1)
        assert noted(2) == (0, 1_001)
        assert noted(1_001) == (0, 1_001)
        assert noted(1_002) == (1, 2_002)
        clock.now = 1.0
        assert noted(1_003) == (1, 2_003)


def test_two_imports_never_share_a_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    with (
        ImportJournal(path, Clock()),
        pytest.raises(JournalError, match="another import is writing"),
        ImportJournal(path, Clock()),
    ):
        pass
    with ImportJournal(path, Clock()) as journal:  # it is free again
        journal.begin(ENTRY)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format": 2}'])
def test_another_file_is_no_journal(tmp_path: Path, content: str) -> None:
    path = tmp_path / "journal.json"
    path.write_text(content)

    with ImportJournal(path, Clock()) as journal, pytest.raises(JournalError, match="is no journal of an import"):
        journal.read()


def test_a_folder_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError, match="give --journal FILE"), ImportJournal(tmp_path / "file" / "j", Clock()):
        pass


def test_what_differs_is_named() -> None:
    assert differences(IDENTITY, IDENTITY) == []
    changes = {
        "size_bytes": 10,
        "modified_ns": 2,
        "head_sha256": "x",
        "mapping_sha256": "x",
        "media": "/media",
        "limit": 5,
        "cluster": "other",
        "topic": "other",
    }
    assert set(changes) == set(ImportIdentity.model_fields)
    for name, value in changes.items():
        assert len(differences(IDENTITY, IDENTITY.model_copy(update={name: value}))) == 1, name
    assert "the file has changed" in differences(IDENTITY, IDENTITY.model_copy(update={"modified_ns": 2}))


def test_hashes_tell_contents_and_mappings_apart(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 2_000_000)
    other.write_bytes(b"x" * 1_000_000 + b"y" + b"x" * 999_999)

    assert head_sha256(one) != head_sha256(other)
    assert mapping_sha256(ProductMapping()) != mapping_sha256(ProductMapping(fields={"id": "sku"}))


def test_an_old_journal_can_be_read() -> None:
    """Format 1, as it was first released."""
    text = {
        "format": 1,
        "file": "/shop/p.csv",
        "identity": IDENTITY.model_dump(),
        "updated_at": "2026-11-20T00:00:00Z",
        "runs": 2,
        "finished": False,
        "line": 7,
        "acknowledged": 5,
        "refused": {"title": 2},
        "refused_lines": [[3, "title: Field required"], [4, "title: Field required"]],
        "reserved_line": 9,
        "sent_again": 1,
    }

    entry = JournalEntry.model_validate_json(json.dumps(text))

    assert entry.progress().prefix.line == 7
    assert entry.progress().counts.sent_again == 1
