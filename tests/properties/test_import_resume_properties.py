"""An import that is killed or stopped anywhere, and answered in any order, is whole in the end; its counts add up."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli import import_run
from cli.import_report import ImportReport
from cli.import_run import ImportOptions, ImportStopped, NotedRun, Stopping, run_import
from cli.output import Output
from topics import import_journal
from topics.catalogue_files import CatalogueFile
from topics.catalogue_import import ProductSender
from topics.import_journal import ImportIdentity, ImportJournal, JournalEntry
from topics.import_progress import ImportProgress
from topics.mapping import ProductMapping
from topics.publisher import Delivery, OnDelivery
from topics.settings import KafkaSettings

FIRST_START = datetime(2026, 11, 20, tzinfo=UTC)
IDENTITY = ImportIdentity(
    size_bytes=1, modified_ns=1, head_sha256="", mapping_sha256="", media="", limit=0, cluster="c", topic="t"
)


class Killed(BaseException):
    """SIGKILL: nothing that stands behind it runs."""


@dataclass
class Run:
    """One run of the import: when it ends, how, and which answers come in what order while it lasts."""

    ends_after: int | None
    killed: bool
    answers: list[tuple[int, bool]]
    seconds_a_line: float


@dataclass
class Broker:
    """Keeps what it acknowledges, and loses the rest. When it answers, and whether well, the run says."""

    sent: list[tuple[bytes, bytes]] = field(default_factory=list)
    kept: set[bytes] = field(default_factory=set)


@dataclass
class ScriptedPublisher:
    broker: Broker
    run: Run
    sent: int = 0
    waiting: list[tuple[bytes, OnDelivery]] = field(default_factory=list)

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        if self.run.ends_after is not None and self.sent >= self.run.ends_after:
            raise Killed if self.run.killed else ImportStopped("stopped by Ctrl-C")
        assert key is not None
        assert value is not None
        assert on_delivery is not None
        self.sent += 1
        self.broker.sent.append((key, value))
        self.waiting.append((key, on_delivery))
        if self.run.answers:
            which, good = self.run.answers.pop()
            self.answer(which, good or self.run.ends_after is None)

    def answer(self, which: int, good: bool) -> None:
        key, report = self.waiting.pop(which % len(self.waiting))
        if good:
            self.broker.kept.add(key)
        report(Delivery("t", 0, 1) if good else Delivery("t", 0, -1, "timed out"))

    def flush(self, timeout_seconds: float) -> int:
        while self.run.ends_after is None and self.waiting:
            self.answer(len(self.waiting) // 2, True)
        return 0


class MortalJournal(ImportJournal):
    """Writes nothing once the process is dead."""

    dead = False

    def _write(self, entry: JournalEntry, *, durably: bool) -> None:
        if not self.dead:
            super()._write(entry, durably=durably)


class Clock:
    def __init__(self, step: float) -> None:
        self.now = 0.0
        self._step = step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def one_run(file: Path, journal_path: Path, broker: Broker, run: Run) -> ImportReport | None:
    """The report, None after a kill."""
    publisher = ScriptedPublisher(broker, run)

    def open_sender(_: Any, __: Any, progress: ImportProgress, stopping: Stopping, stack: ExitStack) -> ProductSender:
        return ProductSender(publisher, progress, None, 0, Clock(1.0), lambda seconds: None)

    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(import_run, "_open_sender", open_sender)
        journal = stack.enter_context(MortalJournal(journal_path, Clock(run.seconds_a_line)))
        entry = journal.read() or JournalEntry(file=str(file), identity=IDENTITY, updated_at=FIRST_START)
        journal.begin(entry)
        options = ImportOptions(ProductMapping(), entry.updated_at)
        opened = stack.enter_context(CatalogueFile(file))
        noted = NotedRun(journal, entry, Stopping())
        try:
            original = publisher.publish

            def publish(*arguments: Any, **named: Any) -> None:
                try:
                    original(*arguments, **named)
                except Killed:
                    journal.dead = True
                    raise

            patch.setattr(publisher, "publish", publish)
            return run_import(opened, options, None, KafkaSettings(), Output(as_json=True), noted)
        except Killed:
            return None


runs = st.builds(
    Run,
    ends_after=st.integers(0, 12),
    killed=st.booleans(),
    answers=st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=20),
    seconds_a_line=st.sampled_from([0.0, 0.2, 1.0]),
)


def write_file(folder: Path, kinds: list[str]) -> tuple[Path, dict[str, int]]:
    """The file, and the line of each good product."""
    lines, good = [], {}
    for number, kind in enumerate(kinds, 1):
        if kind == "good":
            good[f"p{number}"] = number
        product = {"id": f"p{number}", "title": "Dress"}
        texts = {"good": json.dumps(product), "broken": "{", "untitled": json.dumps({"id": "x"}), "empty": ""}
        lines.append(texts[kind] + "\n")
    path = folder / "products.jsonl"
    path.write_text("".join(lines))
    return path, good


@given(
    kinds=st.lists(st.sampled_from(["good", "good", "good", "broken", "untitled", "empty"]), max_size=25),
    history=st.lists(runs, max_size=4),
    reserved_lines=st.integers(0, 5),
)
@example(kinds=["good"] * 9, history=[Run(5, True, [(4, True)] * 5, 0.0)], reserved_lines=2)
@example(kinds=["good"] * 9, history=[Run(8, True, [], 0.0), Run(2, False, [], 0.0)], reserved_lines=5)
@example(kinds=["good"] * 9, history=[Run(7, False, [(1, True), (0, False)], 1.0)] * 2, reserved_lines=0)
def test_whatever_ends_it_the_import_is_whole_after_it_was_resumed(
    kinds: list[str], history: list[Run], reserved_lines: int
) -> None:
    broker = Broker()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_journal, "_RESERVED_LINES", reserved_lines)
        file, good = write_file(Path(name), kinds)
        journal = Path(name) / "journal.json"
        for run in history:
            report = one_run(
                file, journal, broker, Run(run.ends_after, run.killed, list(run.answers), run.seconds_a_line)
            )
            if report is not None:
                counts = report.counts
                assert counts.sent == counts.acknowledged + counts.not_acknowledged.total() + counts.unanswered
                assert counts.read == counts.sent + counts.refused.total()
        last = one_run(file, journal, broker, Run(None, False, [(3, True)] * 8, 0.3))

        assert last is not None
        assert last.finished
        left = JournalEntry.model_validate_json(journal.read_bytes())
    counts = last.counts
    refused = Counter(
        {"broken": "not JSON", "untitled": "title"}[kind] for kind in kinds if kind in ("broken", "untitled")
    )
    assert {key.decode() for key in broker.kept} == set(good)
    assert (counts.read, counts.sent, counts.acknowledged) == (len(good) + refused.total(), len(good), len(good))
    assert counts.refused == refused
    assert [bad.line for bad in last.bad_lines] == [
        n for n, kind in enumerate(kinds, 1) if kind in ("broken", "untitled")
    ]
    assert len(set(broker.sent)) == len(good)  # every repeat is the same event, version included
    assert (left.finished, left.acknowledged, left.refused) == (True, len(good), dict(refused))
    sent_again = len(broker.sent) - len(good)
    kills = sum(run.killed for run in history)
    if not kills:
        assert counts.sent_again == sent_again
    elif kills == 1 and history[0].killed:
        assert counts.sent_again >= sent_again


def test_a_finished_import_sends_nothing_when_it_is_resumed(tmp_path: Path) -> None:
    file, _ = write_file(tmp_path, ["good", "broken", "good"])
    broker = Broker()
    for _ in range(2):
        report = one_run(file, tmp_path / "journal.json", broker, Run(None, False, [], 0.0))
        assert report is not None
        assert (report.counts.read, report.counts.acknowledged, report.counts.refused.total()) == (3, 2, 1)
        assert report.finished

    assert len(broker.sent) == 2
