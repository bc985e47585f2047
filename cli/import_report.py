"""What `millrace import` tells at its end: the counts, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from cli.output import Output
from topics.catalogue_files import BadLine
from topics.import_progress import ImportCounts, ImportProgress

_SIGNALLED = 128  # shells add the number of the signal that ended a process
_ROWS = (
    "read", "sent", "acknowledged", "refused", "not_acknowledged", "sent_again", "seconds", "products_per_second"
)  # fmt: skip


@dataclass(slots=True)
class ImportReport:
    """What became of the file, over all runs. `bad_lines` holds the first 1,000. `stopped` says why it ended early."""

    progress: ImportProgress = field(default_factory=ImportProgress)
    bad_lines: list[BadLine] = field(default_factory=list)
    runs: int = 1
    read_before: int = 0
    seconds: float = 0.0
    completed: bool = False
    stopped: str = ""
    signal: int | None = None

    @property
    def counts(self) -> ImportCounts:
        return self.progress.counts

    @property
    def finished(self) -> bool:
        """Nothing is left to do but to mend what was refused."""
        return self.completed and self.counts.settled

    def facts(self) -> dict[str, Any]:
        counts = self.counts
        return {
            "read": counts.read,
            "sent": counts.sent,
            "acknowledged": counts.acknowledged,
            "refused": counts.refused.total(),
            "refused_by_reason": dict(counts.refused),
            "refused_lines": [{"line": bad.line, "reason": bad.reason} for bad in self.bad_lines],
            "not_acknowledged": counts.not_acknowledged.total() + counts.unanswered,
            "sent_again": counts.sent_again,
            "runs": self.runs,
            "seconds": round(self.seconds, 3),
            "products_per_second": round((counts.read - self.read_before) / self.seconds, 1) if self.seconds else 0.0,
        }


def tell(report: ImportReport, output: Output) -> None:
    """The counts, for a person."""
    facts = report.facts()
    table = Table(show_header=False, box=None)
    for label in _ROWS:
        table.add_row(label.replace("_", " "), f"{facts[label]:,}")
    for reason, count in report.counts.refused.most_common():
        table.add_row(f"  refused: {reason}", f"{count:,}")
    for reason, count in report.counts.not_acknowledged.most_common():
        table.add_row(f"  not acknowledged: {reason}", f"{count:,}")
    output.show(table)


def conclude(report: ImportReport, facts: Mapping[str, Any], to_resume: str, output: Output) -> None:
    """The last line: what to do next. `to_resume` is the command that goes on, empty where nothing was to be sent."""
    dry_run = not to_resume
    if report.stopped or facts["not_acknowledged"]:
        cause = report.stopped or "the broker did not acknowledge every product"
        code = _SIGNALLED + report.signal if report.signal else 1
        output.fail(f"{cause}. Go on with: {to_resume}" if to_resume else cause, facts, code)
    if missing := facts.get("not_on_topic"):
        named = ", ".join(facts["products_not_on_topic"][:5])
        output.fail(
            f"{missing} products of the file are not on the topic ({named}): was it emptied? Import the file again, "
            "without --resume",
            facts,
        )
    if facts["refused"]:
        output.fail("mend the lines named above, or the mapping, and import again: what was sent stays sent", facts)
    output.finish(facts)
    if "on_topic" in facts:
        output.note(f"verified: all {facts['on_topic']:,} products are on the topic, in this version or a newer one")
    output.note(
        "every line can be used; leave --dry-run out to send them"
        if dry_run
        else "sent; `millrace search` finds them as soon as a worker has indexed them"
    )
