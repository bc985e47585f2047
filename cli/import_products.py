"""`millrace import`: products from a file onto `catalog.products`."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.output import CONFIG_HELP, JSON_HELP, Output
from cli.settings import SettingsError, load_settings
from index.base import IndexRefused
from index.documents import document
from index.limits import check_document
from monitoring.lag import GroupLag, LagUnavailable
from topics.admin import BrokerError, TopicAdmin
from topics.backlog import Backlog, BacklogStalled
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP, TOPICS
from topics.catalogue_files import BadLine, CatalogueFile, CatalogueFileError, Record
from topics.catalogue_import import ImportCounts, ProductReader, ProductSender, ReadProduct, import_products
from topics.catalogue_pictures import CataloguePictures, CataloguePicturesError
from topics.clients import client_config
from topics.mapping import MappingFileError, ProductMapping, load_mapping
from topics.publisher import Publisher, PublisherError
from topics.settings import KafkaSettings

_ANSWER_SECONDS = 60.0
_PATIENCE_SECONDS = 60.0
_LISTED_LINES = 1_000
_LINES_BETWEEN_UPDATES = 100


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is read and sent; a `limit` or rate of 0 is none. With `dry_run` nothing is sent or written."""

    mapping: ProductMapping
    updated_at: datetime
    limit: int = 0
    rate_per_second: float = 0.0
    dry_run: bool = False


@dataclass(slots=True)
class ImportReport:
    """What the import did. `bad_lines` holds the first 1,000 of them. `stopped` says why it ended early."""

    counts: ImportCounts = field(default_factory=ImportCounts)
    bad_lines: list[BadLine] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = ""

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
            "seconds": round(self.seconds, 3),
            "products_per_second": round(counts.read / self.seconds, 1) if self.seconds else 0.0,
        }


def run_import(
    file: CatalogueFile,
    options: ImportOptions,
    pictures: CataloguePictures | None,
    kafka: KafkaSettings,
    output: Output,
) -> ImportReport:
    """Read, check and send all of a file. Raises CatalogueFileError, CataloguePicturesError, BrokerError."""
    report = ImportReport()
    started = time.monotonic()
    reader = ProductReader(options.mapping, options.updated_at, kafka.max_event_bytes, pictures)
    with ExitStack() as stack:
        sender = None if options.dry_run else _open_sender(kafka, options, report.counts, stack)
        try:
            _send_all(file, reader, sender, options, report, output)
        except (BacklogStalled, PublisherError) as error:
            report.stopped = str(error)
        finally:
            if sender is not None:
                sender.finish(_ANSWER_SECONDS)
            report.seconds = time.monotonic() - started
    return report


def _open_sender(kafka: KafkaSettings, options: ImportOptions, counts: ImportCounts, stack: ExitStack) -> ProductSender:
    [topic] = TopicAdmin(kafka).inspect([spec for spec in TOPICS if spec.name == CATALOG_PRODUCTS])
    if topic.state == "missing":
        raise BrokerError(f"the broker has no topic {CATALOG_PRODUCTS}: make it with `millrace topics apply`")
    publisher = Publisher(kafka, "millrace-import")
    stack.callback(publisher.close)
    backlog = None
    if kafka.max_backlog_bytes_per_partition:
        lag = stack.enter_context(GroupLag(client_config(kafka), INDEX_PRODUCTS_GROUP, CATALOG_PRODUCTS))
        limit = kafka.max_backlog_bytes_per_partition
        backlog = Backlog(
            limit, partial(_committed, lag), time.monotonic, time.sleep, _PATIENCE_SECONDS, INDEX_PRODUCTS_GROUP
        )
    return ProductSender(publisher, counts, backlog, options.rate_per_second, time.monotonic, time.sleep)


def _committed(lag: GroupLag) -> Mapping[int, int] | None:
    """None while the broker does not tell: the backlog then waits."""
    try:
        return lag.committed()
    except LagUnavailable:
        return None


def _send_all(
    file: CatalogueFile,
    reader: ProductReader,
    sender: ProductSender | None,
    options: ImportOptions,
    report: ImportReport,
    output: Output,
) -> None:
    def on_bad_line(bad: BadLine) -> None:
        output.note(f"line {bad.line}: {bad.reason}")
        if len(report.bad_lines) < _LISTED_LINES:
            report.bad_lines.append(bad)

    with output.progress("importing", file.size_bytes) as advance:

        def watched() -> Iterator[Record | BadLine]:
            for number, record in enumerate(islice(file.records(), options.limit or None)):
                if number % _LINES_BETWEEN_UPDATES == 0:
                    advance(file.read_bytes, f"{report.counts.acknowledged} acknowledged")
                yield record

        items = map(_indexable, reader.products(watched()))
        for _ in import_products(items, sender, report.counts, on_bad_line):
            pass


def _indexable(item: ReadProduct | BadLine) -> ReadProduct | BadLine:
    """A bad line for a product that a worker could only send to the dead letters."""
    try:
        if isinstance(item, ReadProduct):
            check_document(document(item.product))
    except IndexRefused as refusal:
        return BadLine(item.line, f"cannot be indexed: {refusal}")
    return item


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


def parse_time(text: str | None) -> datetime:
    """An ISO 8601 date-time with time zone; now without a text."""
    if text is None:
        return datetime.now(UTC)
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
            help="Version of records that carry none, as ISO 8601 date-time. Default: the start of the import."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Stop after this many lines; 0: never.")] = 0,
    rate: Annotated[float, typer.Option(min=0, help="Products a second at most; 0: no limit.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, send nothing.")] = False,
    config: Annotated[Path | None, typer.Option(help=CONFIG_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Send products from a file to catalog.products, where workers index them.

    A line that cannot be used is told with its number and reason, counted, and passed over; the exit code is then 1.
    A repeat of records that carry their own time of change is harmless: an older or equal version never overwrites what
    is indexed. Records without one are as new as this import (or --updated-at), and overwrite what came before it.

    Example: millrace import products.csv --mapping grocery_store --media iconic.zip --dry-run

    With --json: read, sent, acknowledged, refused, refused_by_reason, refused_lines (line, reason), not_acknowledged,
    seconds, products_per_second.
    """
    output = Output(as_json)
    usable = (
        SettingsError,
        MappingFileError,
        CatalogueFileError,
        CataloguePicturesError,
        BrokerError,
        PublisherError,
        LagUnavailable,
    )
    with output.failing_on(*usable), ExitStack() as stack:
        settings = load_settings(config)
        options = ImportOptions(find_mapping(mapping), parse_time(updated_at), limit, rate, dry_run)
        opened = stack.enter_context(CatalogueFile(file))
        pictures = None
        if media is not None:
            root = settings.encoders.image_sources.file_root
            name = Path(mapping).stem or file.name.partition(".")[0]
            pictures = stack.enter_context(open_pictures(media, root, name, dry_run))
        report = run_import(opened, options, pictures, settings.kafka, output)
    _tell(report, dry_run, output)


def open_pictures(media: Path, root: str, name: str, dry_run: bool) -> CataloguePictures:
    if not root:
        raise CataloguePicturesError(
            "there is no place for pictures: set encoders.image_sources.file_root "
            "(MILLRACE__ENCODERS__IMAGE_SOURCES__FILE_ROOT) to a folder that every worker and server reads"
        )
    return CataloguePictures(media, Path(root), name, copy=not dry_run)


def _tell(report: ImportReport, dry_run: bool, output: Output) -> None:
    facts = report.facts()
    table = Table(show_header=False, box=None)
    for label in ("read", "sent", "acknowledged", "refused", "not_acknowledged", "seconds", "products_per_second"):
        table.add_row(label.replace("_", " "), f"{facts[label]:,}")
    for reason, count in report.counts.refused.most_common():
        table.add_row(f"  refused: {reason}", f"{count:,}")
    for reason, count in report.counts.not_acknowledged.most_common():
        table.add_row(f"  not acknowledged: {reason}", f"{count:,}")
    output.show(table)
    if report.stopped:
        output.fail(report.stopped, facts)
    if facts["not_acknowledged"]:
        output.fail("the broker did not acknowledge every product: run the same import again", facts)
    if facts["refused"]:
        output.fail("mend the lines named above, or the mapping, and import again: what was sent stays sent", facts)
    output.finish(facts)
    output.note(
        "every line can be used; leave --dry-run out to send them"
        if dry_run
        else "sent; `millrace search` finds them as soon as a worker has indexed them"
    )
