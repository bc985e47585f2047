"""One run of an import: read, check, send, count, and note what is done."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from types import FrameType

from cli.import_report import ImportReport
from cli.output import Output
from index.base import IndexRefused
from index.documents import document
from index.limits import check_document
from monitoring.lag import GroupLag, LagUnavailable
from topics.admin import TopicAdmin
from topics.backlog import Backlog, BacklogStalled
from topics.catalogue import CATALOG_PRODUCTS, INDEX_PRODUCTS_GROUP
from topics.catalogue_files import BadLine, CatalogueFile, Record
from topics.catalogue_import import ProductReader, ProductSender, ReadProduct, import_products
from topics.catalogue_pictures import CataloguePictures
from topics.clients import client_config
from topics.import_journal import ImportJournal, JournalEntry
from topics.import_progress import ImportProgress
from topics.mapping import ProductMapping
from topics.publisher import Publisher, PublisherError
from topics.settings import KafkaSettings

_ANSWER_SECONDS = 60.0
_HURRIED_ANSWER_SECONDS = 10.0  # after a signal
_PATIENCE_SECONDS = 60.0
_FAILURES_IN_A_ROW = 100  # after so many the broker is gone, not picky
_ANSWERS_KEPT = 300_000  # of lines behind one that has none: half a minute of a fast import, some 50 MB
_LISTED_LINES = 1_000
_LINES_BETWEEN_UPDATES = 100


class ImportStopped(Exception):
    """The import ends before its file; the message says why."""


class Stopping:
    """Turns the first SIGINT or SIGTERM into an orderly end; the second one ends at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self.signal: signal.Signals | None = None
        self.answer_seconds = _ANSWER_SECONDS

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Only the main thread may listen to signals; in any other nothing changes."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, _: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._insist)
        self.signal = signal.Signals(number)
        self.answer_seconds = _HURRIED_ANSWER_SECONDS
        self._asked.set()

    def _insist(self, _: int, __: FrameType | None) -> None:
        self.answer_seconds = 0.0
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raises ImportStopped once it was asked for."""
        if self._asked.is_set():
            raise ImportStopped("stopped by Ctrl-C" if self.signal == signal.SIGINT else "stopped by SIGTERM")

    def wait(self, seconds: float) -> None:
        """Sleep, unless it was or is asked for: then raise ImportStopped."""
        self._asked.wait(seconds)
        self.check()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is read and sent; a `limit` or rate of 0 is none. With `dry_run` nothing is sent or written."""

    mapping: ProductMapping
    updated_at: datetime
    limit: int = 0
    rate_per_second: float = 0.0
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class NotedRun:
    """What makes a run resumable. `entry` says where it begins."""

    journal: ImportJournal
    entry: JournalEntry
    stopping: Stopping


def run_import(
    file: CatalogueFile,
    options: ImportOptions,
    pictures: CataloguePictures | None,
    kafka: KafkaSettings,
    output: Output,
    noted: NotedRun | None = None,
) -> ImportReport:
    """Read, check and send what of the file is not done yet.

    Raises CatalogueFileError, CataloguePicturesError, BrokerError, LagUnavailable, JournalError.
    """
    report = _report(noted)
    stopping = noted.stopping if noted else Stopping()
    reader = ProductReader(options.mapping, options.updated_at, kafka.max_event_bytes, pictures)
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            sender = None if options.dry_run else _open_sender(kafka, options, report.progress, stopping, stack)
            try:
                records = _records(file, options, report, output, noted)
                _send_all(map(indexable, reader.products(records)), sender, report, output)
            except (BacklogStalled, PublisherError, ImportStopped) as error:
                report.stopped = str(error)
                report.signal = stopping.signal
            finally:
                if sender is not None:
                    sender.finish(stopping.answer_seconds)
    finally:
        report.seconds = time.monotonic() - started
        if noted is not None:
            noted.journal.end(report.progress, report.bad_lines, finished=report.finished)
    return report


def _report(noted: NotedRun | None) -> ImportReport:
    if noted is None:
        return ImportReport()
    progress = noted.entry.progress()
    return ImportReport(progress, noted.entry.bad_lines, noted.entry.runs, progress.counts.read)


def _open_sender(
    kafka: KafkaSettings, options: ImportOptions, progress: ImportProgress, stopping: Stopping, stack: ExitStack
) -> ProductSender:
    name = kafka.on_broker(CATALOG_PRODUCTS)
    TopicAdmin(kafka).partitions([name])  # raises where it is missing
    publisher = Publisher(kafka, "millrace-import")
    stack.callback(publisher.close, 0)  # the sender has waited for the answers
    backlog = None
    if kafka.max_backlog_bytes_per_partition:
        group = kafka.on_broker(INDEX_PRODUCTS_GROUP)
        lag = stack.enter_context(GroupLag(client_config(kafka), group, name))
        limit = kafka.max_backlog_bytes_per_partition
        backlog = Backlog(limit, partial(_committed, lag), time.monotonic, stopping.wait, _PATIENCE_SECONDS, group)
    return ProductSender(publisher, progress, backlog, options.rate_per_second, time.monotonic, stopping.wait)


def _committed(lag: GroupLag) -> Mapping[int, int] | None:
    """None while the broker does not tell: the backlog then waits."""
    try:
        return lag.committed()
    except LagUnavailable:
        return None


def _records(
    file: CatalogueFile, options: ImportOptions, report: ImportReport, output: Output, noted: NotedRun | None
) -> Iterator[Record | BadLine]:
    """What is not done yet. Each is noted before it is given, and asked for only while the import shall go on."""
    done_line = noted.entry.line if noted is not None else 0
    with output.progress("importing", file.size_bytes) as advance:
        for number, record in enumerate(islice(file.records(), options.limit or None)):
            if number % _LINES_BETWEEN_UPDATES == 0:
                advance(file.read_bytes, f"{report.counts.acknowledged} acknowledged")
            if record.line <= done_line:
                continue
            _check_answers(report.progress)
            if noted is not None:
                noted.stopping.check()
                noted.journal.note(report.progress, report.bad_lines, record.line)
            yield record


def _check_answers(progress: ImportProgress) -> None:
    """Raises ImportStopped where it is of no use to go on."""
    if progress.failures_in_a_row >= _FAILURES_IN_A_ROW:
        [(reason, _)] = progress.counts.not_acknowledged.most_common(1)
        raise ImportStopped(f"the broker acknowledges nothing any more: {reason}")
    line, behind = progress.held_up
    if behind >= _ANSWERS_KEPT:
        raise ImportStopped(
            f"line {line} is not acknowledged, and {behind:,} lines behind it are: has a partition of "
            f"{CATALOG_PRODUCTS} no leader"
        )


def _send_all(
    items: Iterator[ReadProduct | BadLine], sender: ProductSender | None, report: ImportReport, output: Output
) -> None:
    def on_bad_line(bad: BadLine) -> None:
        output.note(f"line {bad.line}: {bad.reason}")
        if len(report.bad_lines) < _LISTED_LINES:
            report.bad_lines.append(bad)

    for _ in import_products(items, sender, report.progress, on_bad_line):
        pass
    report.completed = True


def indexable(item: ReadProduct | BadLine) -> ReadProduct | BadLine:
    """A bad line for a product that a worker could only send to the dead letters."""
    try:
        if isinstance(item, ReadProduct):
            check_document(document(item.product))
    except IndexRefused as refusal:
        return BadLine(item.line, f"cannot be indexed: {refusal}")
    return item
