"""What an import remembers on disk, so that it can go on after an interruption of any kind."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from topics.catalogue_files import BadLine
from topics.import_progress import ImportProgress, SettledPrefix
from topics.mapping import ProductMapping

_HEAD_BYTES = 1_048_576
_SECONDS_BETWEEN_WRITES = 1.0
_RESERVED_LINES = 1_000


class JournalError(Exception):
    """The import cannot be noted, or not be gone on with; the message says what to do."""


class ImportIdentity(BaseModel):
    """What must be the same for a run to go on where another stopped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_bytes: int
    modified_ns: int
    head_sha256: str = Field(description="of the first mebibyte")
    mapping_sha256: str
    media: str
    limit: int
    cluster: str = Field(description="the broker's id of itself")
    topic: str


class JournalEntry(BaseModel):
    """The journal's content. `line` and what is counted with it: up to there nothing is left to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    file: str
    identity: ImportIdentity
    updated_at: AwareDatetime = Field(description="version of records that carry none, the same in every run")
    begun_at: AwareDatetime = Field(default=datetime.fromtimestamp(0, UTC), description="by the first run's clock")
    runs: int = Field(default=1, ge=1)
    finished: bool = False
    line: int = Field(default=0, ge=0)
    acknowledged: int = Field(default=0, ge=0)
    refused: dict[str, int] = Field(default_factory=dict)
    refused_lines: tuple[tuple[int, str], ...] = Field(default=(), description="the first of them, with their reason")
    reserved_line: int = Field(default=0, ge=0, description="no run has sent a line after this one")
    sent_again: int = Field(default=0, ge=0)

    @property
    def bad_lines(self) -> list[BadLine]:
        return [BadLine(line, reason) for line, reason in self.refused_lines]

    def progress(self) -> ImportProgress:
        """Where the next run begins."""
        prefix = SettledPrefix(self.line, self.acknowledged, self.refused)
        return ImportProgress(prefix, self.sent_again, self.reserved_line)


class ImportJournal:
    """One file, replaced as a whole: whoever reads it finds the old state or the new one.

    Use as a context manager: it keeps a lock beside the file, so that two imports never share a journal. Every method
    raises JournalError where the disk refuses. `clock` counts seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self._clock = clock
        self._write_at = clock()
        self._entry: JournalEntry | None = None
        self._reserved_before = 0
        self._lock: BinaryIO | None = None

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self.path.with_name(self.path.name + ".lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise JournalError(f"another import is writing {self.path}: wait for it, or give --journal FILE") from None
        except OSError as error:
            self.close()
            raise self._unusable(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def read(self) -> JournalEntry | None:
        """What the last run left, None where there was none."""
        try:
            return JournalEntry.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from None
        except ValidationError as error:
            raise JournalError(
                f"{self.path} is no journal of an import ({error.error_count()} mistakes in it): leave --resume out to "
                "begin anew, or give --journal FILE"
            ) from None

    def begin(self, entry: JournalEntry) -> None:
        """A run begins with this."""
        self._reserved_before = entry.reserved_line
        self._write(entry, durably=True)

    def note(self, progress: ImportProgress, bad_lines: Sequence[BadLine], next_line: int) -> None:
        """Call it before each line that is sent. Writes once a second, and before a line that is not reserved."""
        entry = self._begun()
        due = self._clock() >= self._write_at
        if due or next_line > entry.reserved_line:
            reserved_line = max(self._reserved_before, next_line + _RESERVED_LINES)
            self._write(self._state(progress, bad_lines, reserved_line), durably=due)

    def end(self, progress: ImportProgress, bad_lines: Sequence[BadLine], *, finished: bool) -> None:
        """A run ends. A repeat changes nothing."""
        reserved_line = max(self._reserved_before, progress.sent_line)
        self._write(self._state(progress, bad_lines, reserved_line, finished), durably=True)

    def _begun(self) -> JournalEntry:
        if self._entry is None:
            raise RuntimeError("an import begins before it notes anything")
        return self._entry

    def _state(
        self, progress: ImportProgress, bad_lines: Sequence[BadLine], reserved_line: int, finished: bool = False
    ) -> JournalEntry:
        prefix = progress.prefix
        return self._begun().model_copy(
            update={
                "line": prefix.line,
                "acknowledged": prefix.acknowledged,
                "refused": dict(prefix.refused),
                "refused_lines": tuple((bad.line, bad.reason) for bad in bad_lines if bad.line <= prefix.line),
                "reserved_line": reserved_line,
                "sent_again": progress.counts.sent_again,
                "finished": finished,
            }
        )

    def _write(self, entry: JournalEntry, *, durably: bool) -> None:
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            with fresh.open("wb") as file:
                file.write(entry.model_dump_json(indent=2).encode())
                file.flush()
                if durably:
                    os.fsync(file.fileno())
            os.replace(fresh, self.path)
        except OSError as error:
            raise self._unusable(error) from None
        self._entry = entry
        self._write_at = self._clock() + _SECONDS_BETWEEN_WRITES

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(
            f"the journal {self.path} cannot be kept: {error.strerror}; give --journal FILE in a folder that can be "
            "written (what was sent stays sent)"
        )


def differences(before: ImportIdentity, now: ImportIdentity) -> list[str]:
    """What keeps a run from going on where another stopped, in words for a person."""
    file_changed = (before.size_bytes, before.modified_ns, before.head_sha256) != (
        now.size_bytes,
        now.modified_ns,
        now.head_sha256,
    )
    changed = {
        "the file has changed": file_changed,
        "the mapping is another one": before.mapping_sha256 != now.mapping_sha256,
        f"--media was {before.media!r}": before.media != now.media,
        f"--limit was {before.limit}": before.limit != now.limit,
        f"it went to another Kafka cluster ({before.cluster}, this is {now.cluster})": before.cluster != now.cluster,
        f"it went to the topic {before.topic}": before.topic != now.topic,
    }
    return [text for text, differs in changed.items() if differs]


def head_sha256(file: Path) -> str:
    """Of the first mebibyte. Raises OSError."""
    with file.open("rb") as opened:
        return hashlib.sha256(opened.read(_HEAD_BYTES)).hexdigest()


def mapping_sha256(mapping: ProductMapping) -> str:
    return hashlib.sha256(mapping.model_dump_json().encode()).hexdigest()
