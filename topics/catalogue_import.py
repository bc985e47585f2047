"""Products from a catalogue file onto `catalog.products`: mapped, checked, counted, no faster than consumers bear."""

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
from topics.publisher import Delivery, MessageRefused, OnDelivery, PublisherOverloaded

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

    def send(self, item: ReadProduct) -> BadLine | None:
        """Queue one product, waiting while there is no room. Raises BacklogStalled and PublisherError."""
        self._keep_pace()
        key = item.product.id.encode()
        size_bytes = record_bytes(key, item.event)
        if self._backlog is not None:
            self._backlog.make_room(size_bytes)
        on_delivery = self._reporter(item.line, size_bytes)
        while True:
            try:
                self._publisher.publish(CATALOG_PRODUCTS, key, item.event, on_delivery=on_delivery)
            except PublisherOverloaded:
                self._wait(_OVERLOAD_WAIT_SECONDS)
            except MessageRefused as error:
                if self._backlog is not None:
                    self._backlog.failed(size_bytes)
                return BadLine(item.line, f"refused by the broker: {error}")
            else:
                self._progress.sent(item.line)
                return None

    def finish(self, timeout_seconds: float) -> None:
        """Wait for the broker's answer to everything that was sent, in small steps, so that a signal is heard."""
        give_up_at = self._clock() + timeout_seconds
        while self._publisher.flush(_FLUSH_SECONDS) and self._clock() < give_up_at:
            pass

    def _reporter(self, line: int, size_bytes: int) -> OnDelivery:
        def report(delivery: Delivery) -> None:
            if delivery.error:
                self._progress.not_acknowledged(delivery.error)
                if self._backlog is not None:
                    self._backlog.failed(size_bytes)
            else:
                self._progress.acknowledged(line)
                if self._backlog is not None:
                    self._backlog.delivered(delivery.partition, delivery.offset, size_bytes)

        return report

    def _keep_pace(self) -> None:
        if not self._interval_seconds:
            return
        now = self._clock()
        if now < self._next_at:
            self._wait(self._next_at - now)
        self._next_at = max(self._next_at, now - _CATCH_UP_SECONDS) + self._interval_seconds


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
