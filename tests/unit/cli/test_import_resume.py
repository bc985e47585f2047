"""How `millrace import` decides where to begin, how it ends on a signal, and what its last line says."""

import json
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from cli import import_run
from cli.import_journals import default_journal, first_entry, next_entry
from cli.import_products import ImportArguments
from cli.import_report import ImportReport, conclude
from cli.import_run import ImportOptions, ImportStopped, Stopping, run_import
from cli.output import Output
from topics.catalogue_files import CatalogueFile
from topics.catalogue_import import ProductSender
from topics.import_journal import ImportIdentity, ImportJournal, JournalEntry, JournalError
from topics.import_progress import ImportProgress, SettledPrefix
from topics.mapping import ProductMapping
from topics.publisher import Delivery, OnDelivery
from topics.settings import KafkaSettings

START = datetime(2026, 11, 20, tzinfo=UTC)
BEGUN = datetime(2026, 11, 21, tzinfo=UTC)
FILE = Path("/shop/products.jsonl")
IDENTITY = ImportIdentity(
    size_bytes=9, modified_ns=1, head_sha256="a", mapping_sha256="b", media="", limit=0, cluster="c", topic="t"
)
TO_RESUME = "millrace import products.jsonl --resume"


@pytest.fixture
def journal(tmp_path: Path) -> ImportJournal:
    return ImportJournal(tmp_path / "journal.json", lambda: 0.0)


def leave(journal: ImportJournal, **fields: object) -> None:
    entry = JournalEntry(file=str(FILE), identity=IDENTITY, updated_at=START, line=7, acknowledged=7)
    journal.begin(entry.model_copy(update=fields))


def test_a_resumed_import_keeps_version_and_counts(journal: ImportJournal) -> None:
    leave(journal, begun_at=BEGUN)

    entry = next_entry(journal, FILE, IDENTITY, None, Output(as_json=True))

    assert entry.begun_at == BEGUN
    assert (entry.updated_at, entry.line, entry.acknowledged, entry.runs) == (START, 7, 7, 2)


def test_a_finished_import_is_no_further_run(journal: ImportJournal) -> None:
    leave(journal, finished=True, runs=2)

    assert next_entry(journal, FILE, IDENTITY, START, Output(as_json=True)).runs == 2


@pytest.mark.parametrize(
    ("identity", "updated_at", "complaint"),
    [
        (IDENTITY.model_copy(update={"size_bytes": 10}), None, "the file has changed"),
        (IDENTITY.model_copy(update={"cluster": "d"}), None, "another Kafka cluster"),
        (IDENTITY, datetime(2020, 1, 1, tzinfo=UTC), "--updated-at was 2026-11-20"),
    ],
)
def test_another_import_is_refused(
    journal: ImportJournal, identity: ImportIdentity, updated_at: datetime | None, complaint: str
) -> None:
    leave(journal)

    with pytest.raises(JournalError, match=complaint):
        next_entry(journal, FILE, identity, updated_at, Output(as_json=True))


def test_without_resume_it_begins_anew_and_says_what_it_gives_up(
    journal: ImportJournal, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(journal)

    entry = first_entry(journal, FILE, IDENTITY, START, Output(as_json=True))

    assert (entry.line, entry.runs, entry.updated_at) == (0, 1, START)
    assert "line 7: --resume would have gone on" in capsys.readouterr().err


@pytest.mark.parametrize("begin", [first_entry, next_entry])
def test_without_a_journal_both_begin(journal: ImportJournal, begin: object) -> None:
    assert begin(journal, FILE, IDENTITY, None, Output(as_json=True)).line == 0  # type: ignore[operator]


def test_each_file_has_its_journal_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    one, other = default_journal(Path("/a/products.csv")), default_journal(Path("/b/products.csv"))

    assert one.parent == tmp_path / "millrace" / "imports"
    assert one.name.startswith("products.csv-")
    assert one != other
    assert default_journal(Path("/a/products.csv")) == one


def test_the_command_that_goes_on_has_the_same_options() -> None:
    arguments = ImportArguments(
        Path("my products.csv"), "grocery_store", Path("a b.zip"), None, 5, 2.5, False, False, Path("j"), True, None
    )

    assert shlex.split(arguments.to_resume()) == [
        "millrace",
        "import",
        "my products.csv",
        "--mapping=grocery_store",
        "--media=a b.zip",
        "--limit=5",
        "--rate=2.5",
        "--journal=j",
        "--resume",
        "--verify",
    ]


def ended(
    capsys: pytest.CaptureFixture[str], report: ImportReport, **facts: object
) -> tuple[int, str, dict[str, object]]:
    """Exit code, last line for people, object for programs."""
    code = 0
    try:
        conclude(report, report.facts() | facts, TO_RESUME, Output(as_json=True))
    except typer.Exit as end:
        code = end.exit_code
    told = capsys.readouterr()
    return code, told.err.strip().splitlines()[-1], json.loads(told.out)


def test_the_last_line_of_a_stopped_import_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, line, facts = ended(capsys, ImportReport(stopped="stopped by SIGTERM", signal=signal.SIGTERM))

    assert code == 128 + signal.SIGTERM
    assert line == f"error: stopped by SIGTERM. Go on with: {TO_RESUME}"
    assert str(facts["error"]).endswith(TO_RESUME)


def test_so_does_that_of_one_whose_products_were_not_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ImportProgress()
    progress.read(1)
    progress.sent(1)

    code, line, facts = ended(capsys, ImportReport(progress, completed=True))

    assert (code, facts["not_acknowledged"]) == (1, 1)
    assert line.endswith(f"Go on with: {TO_RESUME}")


def test_refused_lines_are_no_reason_to_resume(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ImportProgress(SettledPrefix(3, 2, {"title": 1}))

    code, line, _ = ended(capsys, ImportReport(progress, completed=True))

    assert code == 1
    assert "mend the lines" in line


def test_products_that_are_not_on_the_topic_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    report = ImportReport(ImportProgress(SettledPrefix(2, 2)), completed=True)

    code, line, _ = ended(capsys, report, on_topic=1, not_on_topic=1, products_not_on_topic=["b"])

    assert code == 1
    assert "1 products of the file are not on the topic (b)" in line


def test_a_whole_import_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    report = ImportReport(ImportProgress(SettledPrefix(2, 2)), completed=True)

    code, _, facts = ended(capsys, report, on_topic=2, not_on_topic=0, products_not_on_topic=[])

    assert code == 0
    assert (facts["acknowledged"], facts["on_topic"]) == (2, 2)


def test_an_import_ends_where_one_line_keeps_too_many_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_run, "_ANSWERS_KEPT", 5)
    file = tmp_path / "products.jsonl"
    file.write_text("".join(f'{{"id": "{number}", "title": "x"}}\n' for number in range(1, 20)))
    progress = ImportProgress()
    publisher = OneSilentPartition(silent=b"3")
    sender = ProductSender(publisher, progress, None, 0, lambda: 0.0, lambda _: None)
    monkeypatch.setattr(import_run, "_open_sender", lambda *_: sender)
    monkeypatch.setattr(import_run, "_report", lambda _: ImportReport(progress))

    with CatalogueFile(file) as opened:
        options = ImportOptions(ProductMapping(), START)
        report = run_import(opened, options, None, KafkaSettings(), Output(as_json=True))

    assert report.stopped.startswith("line 3 is not acknowledged, and 5 lines behind it are: has a partition of")
    assert (progress.counts.read, progress.prefix.line) == (8, 2)


@dataclass
class OneSilentPartition:
    """Acknowledges everything but one product."""

    silent: bytes

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        assert on_delivery is not None
        if key != self.silent:
            on_delivery(Delivery(topic, 0, 1))

    def flush(self, timeout_seconds: float) -> int:
        return 0


@pytest.mark.parametrize(("number", "cause"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_the_first_signal_ends_in_order_and_the_second_at_once(number: signal.Signals, cause: str) -> None:
    before = signal.getsignal(number)
    stopping = Stopping()
    with stopping.on_signals():
        stopping.check()
        signal.raise_signal(number)
        with pytest.raises(ImportStopped, match=cause):
            stopping.wait(60)
        assert stopping.answer_seconds == 10
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert stopping.answer_seconds == 0

    assert signal.getsignal(number) is before
