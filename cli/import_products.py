"""`millrace import`: products from a file onto `catalog.products`."""

import shlex
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.import_journals import default_journal, first_entry, identify, next_entry
from cli.import_report import ImportReport, conclude, tell
from cli.import_run import ImportOptions, NotedRun, Stopping, indexable, run_import
from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import Settings, SettingsError, load_settings
from monitoring.lag import LagUnavailable
from topics.admin import BrokerError
from topics.catalogue_files import CatalogueFile, CatalogueFileError
from topics.catalogue_import import ProductReader
from topics.catalogue_pictures import CataloguePictures, CataloguePicturesError
from topics.catalogue_verification import newest_versions, verify_on_topic
from topics.import_journal import ImportJournal, JournalError
from topics.mapping import MappingFileError, ProductMapping, load_mapping
from topics.publisher import PublisherError
from topics.settings import KafkaSettings

_LISTED_PRODUCTS = 100
_USABLE_ERRORS = (
    SettingsError,
    MappingFileError,
    CatalogueFileError,
    CataloguePicturesError,
    JournalError,
    BrokerError,
    PublisherError,
    LagUnavailable,
)


@dataclass(frozen=True, slots=True)
class ImportArguments:
    """The command's options, as they were given."""

    file: Path
    mapping: str
    media: Path | None
    updated_at: datetime | None
    limit: int
    rate: float
    dry_run: bool
    resume: bool
    journal: Path | None
    verify: bool
    config: Path | None

    def to_resume(self) -> str:
        """The command that goes on with this import."""
        given = {"mapping": self.mapping, "media": self.media, "limit": self.limit, "rate": f"{self.rate:g}"}
        given |= {"config": self.config, "journal": self.journal}
        options = [f"--{name}={value}" for name, value in given.items() if value and value != "0"]
        options += ["--resume"] + ["--verify"] * self.verify
        return shlex.join(["millrace", "import", str(self.file), *options])


def find_mapping(name: str) -> ProductMapping:
    """A mapping by the path of its file, or by the name of one that comes with Millrace. Raises MappingFileError."""
    if not name:
        return ProductMapping()
    shipped = {Path(each.name).stem: each for each in files("demo").joinpath("mappings").iterdir()}
    if name in shipped:
        return load_mapping(Path(str(shipped[name])))
    if not Path(name).is_file():
        known = ", ".join(sorted(shipped))
        raise MappingFileError(f"no mapping file {name}; give a TOML file, or one of those that come along: {known}")
    return load_mapping(Path(name))


def parse_time(text: str) -> datetime:
    """An ISO 8601 date-time with time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 date-time, such as 2026-11-20T08:00:00Z") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no time zone: write {text}Z for UTC, or an offset such as +01:00")
    return moment


def import_command(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, typer.Argument(help="Products: .jsonl, .csv, .tsv (each also .gz) or .parquet.")],
    mapping: Annotated[
        str,
        typer.Option(
            help="Where each field is found in a record: a TOML file, or icecat_chorus, grocery_store, litemall_zh. "
            "Without it the record has the names of the event itself."
        ),
    ] = "",
    media: Annotated[
        Path | None,
        typer.Option(
            help="Folder or ZIP of pictures that the file names; they are copied below the file_root setting."
        ),
    ] = None,
    updated_at: Annotated[
        str | None,
        typer.Option(
            help="Version of records that carry none, as ISO 8601 date-time. Default: the start of the import, which "
            "--resume keeps."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Stop after this many lines; 0: never.")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="Products a second at most; 0: no limit.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, send nothing.")] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on where the last import of this file stopped; where none did, begin."),
    ] = False,
    journal: Annotated[
        Path | None,
        typer.Option(help="Where it is noted what is done. Default: one for each file in the user's state folder."),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read the topic afterwards, and tell which products of the file are not there."),
    ] = False,
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Send products from a file to catalog.products, where workers index them.

    A line that cannot be used is told with its number and reason, counted, and passed over; the exit code is then 1.
    A repeat of records that carry their own time of change is harmless: an older or equal version never overwrites what
    is indexed. Records without one are as new as this import (or --updated-at), and overwrite what came before it.

    An import that was interrupted (Ctrl-C, a crash, a broker that went away) goes on with --resume at the first line
    that is not known to be acknowledged. It refuses a file or mapping that has changed.

    Example: millrace import products.csv --mapping grocery_store --media iconic.zip --dry-run

    With --json: read, sent, acknowledged, refused, refused_by_reason, refused_lines (line, reason), not_acknowledged,
    sent_again, runs, seconds, products_per_second; with --verify on_topic, not_on_topic, products_not_on_topic.
    """
    output = Output(as_json)
    if dry_run and (resume or verify):
        raise typer.BadParameter("--dry-run sends nothing: leave it out, or --resume and --verify")
    moment = parse_time(updated_at) if updated_at is not None else None
    arguments = ImportArguments(file, mapping, media, moment, limit, rate, dry_run, resume, journal, verify, config)
    with output.failing_on(*_USABLE_ERRORS):
        _import(arguments, output)


def _import(arguments: ImportArguments, output: Output) -> None:
    settings = load_settings(arguments.config)
    mapping = find_mapping(arguments.mapping)
    start = arguments.updated_at or datetime.now(UTC)
    options = ImportOptions(mapping, start, arguments.limit, arguments.rate, arguments.dry_run)
    noted = None
    with ExitStack() as stack:
        opened = stack.enter_context(CatalogueFile(arguments.file))
        pictures = _open_pictures(arguments, settings, stack)
        if not arguments.dry_run:
            noted = _begin(arguments, options, settings.kafka, output, stack)
            options = replace(options, updated_at=noted.entry.updated_at)
        report = run_import(opened, options, pictures, settings.kafka, output, noted)
    tell(report, output)
    facts = report.facts()
    if noted is not None and arguments.verify and not report.stopped:
        facts |= _verify(arguments, options, settings, noted.entry.begun_at, report, output)
    conclude(report, facts, arguments.to_resume() if noted else "", output)


def _begin(
    arguments: ImportArguments, options: ImportOptions, kafka: KafkaSettings, output: Output, stack: ExitStack
) -> NotedRun:
    """The run as it is noted in the journal before anything is sent."""
    file = arguments.file
    identity = identify(file, options, arguments.media, kafka)
    journal = stack.enter_context(ImportJournal(arguments.journal or default_journal(file), time.monotonic))
    begin = next_entry if arguments.resume else first_entry
    entry = begin(journal, file, identity, arguments.updated_at, output)
    journal.begin(entry)
    output.note(f"journal: {journal.path}")
    stopping = Stopping()
    stack.enter_context(stopping.on_signals())
    return NotedRun(journal, entry, stopping)


def _open_pictures(arguments: ImportArguments, settings: Settings, stack: ExitStack) -> CataloguePictures | None:
    if arguments.media is None:
        return None
    root = settings.encoders.image_sources.file_root
    if not root:
        raise CataloguePicturesError(
            "there is no place for pictures: set encoders.image_sources.file_root "
            "(MILLRACE__ENCODERS__IMAGE_SOURCES__FILE_ROOT) to a folder that every worker and server reads"
        )
    name = Path(arguments.mapping).stem or arguments.file.name.partition(".")[0]
    return stack.enter_context(CataloguePictures(arguments.media, Path(root), name, copy=not arguments.dry_run))


def _verify(
    arguments: ImportArguments,
    options: ImportOptions,
    settings: Settings,
    begun_at: datetime,
    report: ImportReport,
    output: Output,
) -> dict[str, Any]:
    """Facts about what the topic holds of the lines that were not refused, read back from the broker."""
    refused = {bad.line for bad in report.bad_lines}
    with CatalogueFile(arguments.file) as opened, ExitStack() as stack:
        pictures = _open_pictures(replace(arguments, dry_run=True), settings, stack)
        reader = ProductReader(options.mapping, options.updated_at, settings.kafka.max_event_bytes, pictures)
        records = (each for each in islice(opened.records(), options.limit or None) if each.line not in refused)
        versions = newest_versions(map(indexable, reader.products(records)))
    with output.progress("verifying", len(versions)) as advance:

        def on_read(left: int) -> None:
            advance(len(versions) - left, f"{left} products left")

        verified = verify_on_topic(settings.kafka, versions, begun_at, on_read)
    return {
        "on_topic": verified.on_topic,
        "not_on_topic": len(verified.missing),
        "products_not_on_topic": list(verified.missing[:_LISTED_PRODUCTS]),
    }
