"""What became of each line of an import, and up to which line nothing is left to do."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from topics.catalogue_files import BadLine
from topics.events import Product


@dataclass(slots=True)
class ImportCounts:
    """Lines, each counted once however many runs it took. `sent_again` is what a later run had to send once more."""

    read: int = 0
    sent: int = 0
    acknowledged: int = 0
    sent_again: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    not_acknowledged: Counter[str] = field(default_factory=Counter)

    @property
    def unanswered(self) -> int:
        """Products of which the broker has said nothing."""
        return self.sent - self.acknowledged - self.not_acknowledged.total()

    @property
    def settled(self) -> bool:
        """Every line that was read is acknowledged, or refused."""
        return self.read == self.acknowledged + self.refused.total()


@dataclass(frozen=True, slots=True)
class SettledPrefix:
    """The lines up to and with `line`: each is acknowledged, or refused for a reason."""

    line: int = 0
    acknowledged: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


class ImportProgress:
    """Follows lines that are read in rising order and answered in any order. Every method may be called by any thread.

    An import that goes on begins with the prefix of the runs before it. They may have sent lines up to
    `perhaps_sent_line`; this one has sent them up to `sent_line`.
    """

    def __init__(self, prefix: SettledPrefix | None = None, sent_again: int = 0, perhaps_sent_line: int = 0) -> None:
        prefix = prefix or SettledPrefix()
        refused = Counter(prefix.refused)
        self.counts = ImportCounts(
            prefix.acknowledged + refused.total(), prefix.acknowledged, prefix.acknowledged, sent_again, refused
        )
        self.sent_line = 0
        self._perhaps_sent_line = perhaps_sent_line
        self._lock = threading.Lock()
        self._open: deque[int] = deque()  # lines after the prefix, as they were read
        self._answers: dict[int, str] = {}  # reason of refusal, empty: acknowledged
        self._prefix_line = prefix.line
        self._prefix_acknowledged = prefix.acknowledged
        self._prefix_refused = Counter(prefix.refused)
        self._failures_in_a_row = 0

    @property
    def prefix(self) -> SettledPrefix:
        with self._lock:
            return SettledPrefix(self._prefix_line, self._prefix_acknowledged, dict(self._prefix_refused))

    @property
    def failures_in_a_row(self) -> int:
        """Messages that were not acknowledged since the last one that was."""
        return self._failures_in_a_row

    @property
    def held_up(self) -> tuple[int, int]:
        """The first line without an answer, and how many after it have one; these are kept until it has."""
        with self._lock:
            return (self._open[0], len(self._answers)) if self._open else (0, 0)

    def read(self, line: int) -> None:
        with self._lock:
            self.counts.read += 1
            self._open.append(line)

    def unread(self, line: int) -> None:
        """The line that was read last is not sent, since the import stops before it."""
        with self._lock:
            self.counts.read -= 1
            self._open.remove(line)

    def sent(self, line: int) -> None:
        with self._lock:
            self.counts.sent += 1
            self.sent_line = line
            self.counts.sent_again += line <= self._perhaps_sent_line

    def acknowledged(self, line: int) -> None:
        with self._lock:
            self.counts.acknowledged += 1
            self._failures_in_a_row = 0
            self._settle(line, "")

    def not_acknowledged(self, reason: str) -> None:
        """The line stays open: it may have arrived or not."""
        with self._lock:
            self.counts.not_acknowledged[reason] += 1
            self._failures_in_a_row += 1

    def refused_after_all(self, bad: BadLine) -> None:
        """The broker does not take a line that was sent."""
        with self._lock:
            self.counts.sent -= 1
        self.refused(bad)

    def refused(self, bad: BadLine) -> None:
        reason = _reason(bad)
        with self._lock:
            self.counts.refused[reason] += 1
            self._settle(bad.line, reason)

    def _settle(self, line: int, answer: str) -> None:
        self._answers[line] = answer
        while self._open and self._open[0] in self._answers:
            self._prefix_line = self._open.popleft()
            reason = self._answers.pop(self._prefix_line)
            if reason:
                self._prefix_refused[reason] += 1
            else:
                self._prefix_acknowledged += 1


def _reason(bad: BadLine) -> str:
    """What stands before the colon; for a part of a field, such as one attribute, the field."""
    reason = bad.reason.partition(":")[0]
    name = reason.partition(".")[0]
    return name if name in Product.model_fields else reason or "unknown"
