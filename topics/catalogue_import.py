"""Products from a catalogue file onto `catalog.products`: mapped, checked, counted, no faster than consumers bear."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import ValidationError

from topics.backlog import Backlog, record_bytes
from topics.catalogue import CATALOG_PRODUCTS
from topics.catalogue_files import BadLine, Record
from topics.catalogue_pictures import CataloguePictures, PictureMissing
from topics.codec import encode_product
from topics.events import Product
from topics.import_progress import ImportProgress
from topics.mapping import MappingError, ProductMapping
from topics.publisher import Delivery, MessageRefused, NotAcknowledged, OnDelivery, PublisherOverloaded

_OVERLOAD_WAIT_SECONDS = 0.05
_FLUSH_SECONDS = 0.5
_CATCH_UP_SECONDS = 0.05  # sleeps are longer than they are asked to be: so much of that is made good
_SCHEMES = ("http://", "https://", "file:", "data:")


class ProductPublisher(Protocol):
    """The part of Publisher that an import uses."""

    def publish(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None: ...

    def flush(self, timeout_seconds: float) -> int: ...


@dataclass(frozen=True, slots=True)
class ReadProduct:
    """A product, its event's bytes, and the line that it stood in."""

    line: int
    product: Product
    event: bytes


@dataclass(frozen=True, slots=True)
class ProductReader:
    """Turns records into products. `updated_at` is for records that carry none.

    Each line counts as a microsecond later than the one before it, so that the last of several lines for one product
    is the one that stays.
    """

    mapping: ProductMapping
    updated_at: datetime
    max_event_bytes: int
    pictures: CataloguePictures | None = None

    def products(self, records: Iterable[Record | BadLine]) -> Iterator[ReadProduct | BadLine]:
        for record in records:
            yield self._product(record) if isinstance(record, Record) else record

    def _product(self, record: Record) -> ReadProduct | BadLine:
        try:
            fields = self.mapping.apply(record.fields)
            if fields.get("image_links"):
                fields["image_links"] = self._links(fields["image_links"])
            fields.setdefault("updated_at", self.updated_at + timedelta(microseconds=record.line))
            product = Product.model_validate(fields)
        except (MappingError, PictureMissing) as error:
            return BadLine(record.line, str(error))
        except ValidationError as error:
            return BadLine(record.line, _problem(error))
        event = encode_product(product)
        if len(event) > self.max_event_bytes:
            return BadLine(record.line, f"too large: {len(event)} bytes, {self.max_event_bytes} are allowed")
        return ReadProduct(record.line, product, event)

    def _links(self, links: Any) -> Any:
        if not isinstance(links, list):
            return links
        return [link if str(link).startswith(_SCHEMES) else self._link(str(link)) for link in links]

    def _link(self, file_name: str) -> str:
        if self.pictures is None:
            raise PictureMissing(
                f"picture: {file_name!r} is a file name; say with --media in which folder or ZIP it is"
            )
        return self.pictures.link(file_name)


def _problem(error: ValidationError) -> str:
    """The first field that is wrong, and how."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])


@dataclass(frozen=True, slots=True)
class _KafkaRecord:
    """What must be kept of a product until the broker has answered."""

    line: int
    key: bytes
    value: bytes

    @property
    def size_bytes(self) -> int:
        return record_bytes(self.key, self.value)


class ProductSender:
    """Publishes products keyed by id. `wait` sleeps for seconds, `clock` counts them; a rate of 0 is no limit."""

    def __init__(
        self,
        publisher: ProductPublisher,
        progress: ImportProgress,
        backlog: Backlog | None,
        rate_per_second: float,
        clock: Callable[[], float],
        wait: Callable[[float], object],
    ) -> None:
        self._publisher = publisher
        self._progress = progress
        self._backlog = backlog
        self._interval_seconds = 1 / rate_per_second if rate_per_second else 0.0
        self._clock = clock
        self._wait = wait
        self._next_at = clock()
        self._to_send_alone: deque[_KafkaRecord] = deque()

    def send(self, item: ReadProduct) -> BadLine | None:
        """Queue one product, waiting while there is no room. Raises BacklogStalled and PublisherError."""
        self._keep_pace()
        record = _KafkaRecord(item.line, item.product.id.encode(), item.event)
        self._make_room(record)
        while True:
            try:
                self._publish(record, lambda _: self._to_send_alone.append(record))
            except PublisherOverloaded:
                self._wait(_OVERLOAD_WAIT_SECONDS)
            except MessageRefused as error:
                if self._backlog is not None:
                    self._backlog.failed(record.size_bytes)
                return _refused(record, str(error))
            else:
                self._progress.sent(item.line)
                return None

    def send_alone(self) -> Iterator[BadLine]:
        """Send once more what the broker refused: it refuses a request as a whole, and here each product has its own.

        Gives what is refused again. Raises BacklogStalled and PublisherError.
        """
        while self._to_send_alone:
            record = self._to_send_alone.popleft()
            refusals: list[str] = []
            self.wait_for_answers()
            self._make_room(record)
            self._publish(record, refusals.append)
            self.wait_for_answers()
            if refusals:
                refused = _refused(record, refusals[0])
                self._progress.refused_after_all(refused)
                yield refused
            elif self._progress.failures_in_a_row:
                raise NotAcknowledged(f"line {record.line} was not acknowledged")

    def wait_for_answers(self) -> None:
        """Until the broker has answered everything, or the publisher given it up."""
        while self._publisher.flush(_FLUSH_SECONDS):
            self._wait(0)

    def finish(self, timeout_seconds: float) -> None:
        """Wait for the broker's answer to everything that was sent, in small steps, so that a signal is heard."""
        give_up_at = self._clock() + timeout_seconds
        while self._clock() < give_up_at and self._publisher.flush(_FLUSH_SECONDS):
            pass

    def _make_room(self, record: _KafkaRecord) -> None:
        if self._backlog is not None:
            self._backlog.make_room(record.size_bytes)

    def _publish(self, record: _KafkaRecord, on_refusal: Callable[[str], None]) -> None:
        def report(delivery: Delivery) -> None:
            if self._backlog is not None:
                if delivery.error:
                    self._backlog.failed(record.size_bytes)
                else:
                    self._backlog.delivered(delivery.partition, delivery.offset, record.size_bytes)
            if delivery.refused:
                on_refusal(delivery.error)
            elif delivery.error:
                self._progress.not_acknowledged(delivery.error)
            else:
                self._progress.acknowledged(record.line)

        self._publisher.publish(CATALOG_PRODUCTS, record.key, record.value, on_delivery=report)

    def _keep_pace(self) -> None:
        if not self._interval_seconds:
            return
        now = self._clock()
        if now < self._next_at:
            self._wait(self._next_at - now)
        self._next_at = max(self._next_at, now - _CATCH_UP_SECONDS) + self._interval_seconds


def _refused(record: _KafkaRecord, reason: str) -> BadLine:
    return BadLine(record.line, f"refused by the broker: {reason}")


def import_products(
    items: Iterable[ReadProduct | BadLine],
    sender: ProductSender | None,
    progress: ImportProgress,
    on_bad_line: Callable[[BadLine], None],
) -> Iterator[ReadProduct]:
    """Send what can be read and give each product that was sent; without a sender, only read and check."""
    for item in items:
        progress.read(item.line)
        try:
            refused = item if isinstance(item, BadLine) else sender.send(item) if sender is not None else None
        except BaseException:
            progress.unread(item.line)
            raise
        if refused is not None:
            progress.refused(refused)
            on_bad_line(refused)
        elif isinstance(item, ReadProduct):
            yield item
        if sender is not None:
            _tell(sender.send_alone(), on_bad_line)
    if sender is not None:
        sender.wait_for_answers()
        _tell(sender.send_alone(), on_bad_line)


def _tell(bad_lines: Iterable[BadLine], on_bad_line: Callable[[BadLine], None]) -> None:
    for bad in bad_lines:
        on_bad_line(bad)
