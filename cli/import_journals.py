"""Where `millrace import` keeps its journal, and whether a run may go on where another stopped."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from cli.import_run import ImportOptions
from cli.output import Output
from topics.admin import TopicAdmin
from topics.catalogue import CATALOG_PRODUCTS
from topics.catalogue_files import CatalogueFileError
from topics.import_journal import (
    ImportIdentity,
    ImportJournal,
    JournalEntry,
    JournalError,
    differences,
    head_sha256,
    mapping_sha256,
)
from topics.settings import KafkaSettings

_DIGEST_LENGTH = 12


def default_journal(file: Path) -> Path:
    """Below the user's state folder (XDG), one for each file: the catalogue's own folder may be read-only."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    digest = hashlib.sha256(str(file.absolute()).encode()).hexdigest()[:_DIGEST_LENGTH]
    return Path(base) / "millrace" / "imports" / f"{file.name}-{digest}.json"


def identify(file: Path, options: ImportOptions, media: Path | None, kafka: KafkaSettings) -> ImportIdentity:
    """Raises CatalogueFileError, BrokerError."""
    try:
        status = file.stat()
        head = head_sha256(file)
    except OSError as error:
        raise CatalogueFileError(f"{file}: {error.strerror}") from None
    return ImportIdentity(
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        head_sha256=head,
        mapping_sha256=mapping_sha256(options.mapping),
        media=str(media.absolute()) if media is not None else "",
        limit=options.limit,
        cluster=TopicAdmin(kafka).cluster_id(),
        topic=kafka.on_broker(CATALOG_PRODUCTS),
    )


def first_entry(
    journal: ImportJournal, file: Path, identity: ImportIdentity, updated_at: datetime | None, output: Output
) -> JournalEntry:
    """Begin at the first line."""
    try:
        before = journal.read()
    except JournalError:
        before = None  # whatever it is, this import does not rest on it
    if before is not None and not before.finished:
        output.note(f"an import of it had come to line {before.line}: --resume would have gone on there")
    now = datetime.now(UTC)
    return JournalEntry(file=str(file.absolute()), identity=identity, updated_at=updated_at or now, begun_at=now)


def next_entry(
    journal: ImportJournal, file: Path, identity: ImportIdentity, updated_at: datetime | None, output: Output
) -> JournalEntry:
    """Go on where the last run stopped; begin where there was none. Raises JournalError for another import."""
    before = journal.read()
    if before is None:
        output.note(f"nothing to go on with in {journal.path}: beginning at the first line")
        return first_entry(journal, file, identity, updated_at, output)
    changed = differences(before.identity, identity)
    if updated_at is not None and updated_at != before.updated_at:
        changed.append(f"--updated-at was {before.updated_at.isoformat()}")
    if changed:
        raise JournalError(
            f"{journal.path} is of another import: {'; '.join(changed)}. Leave --resume out to import from the first "
            "line, or repair what differs"
        )
    if before.finished:
        output.note("that import was finished: nothing is left to send")
    else:
        output.note(f"going on after line {before.line}")
    return before.model_copy(update={"runs": before.runs + (not before.finished), "finished": False})
