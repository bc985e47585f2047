"""Reading product events: what is good becomes an event, what is not becomes an InvalidEvent with its reason."""

import json
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from topics.codec import ProductCodec, deletion_headers, encode_product
from topics.events import InvalidEvent, InvalidReason, Product, ProductDeletion
from topics.mapping import ProductMapping

NOW_MS = 1_700_000_000_000
MINIMAL = {"id": "p1", "title": "Red dress", "updated_at": "2026-01-01T00:00:00Z"}


def read(value: object, key: bytes | None = b"p1", codec: ProductCodec | None = None) -> object:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return (codec or ProductCodec()).decode(key, raw, NOW_MS)


def reason_of(value: object, key: bytes | None = b"p1") -> InvalidReason:
    event = read(value, key)
    assert isinstance(event, InvalidEvent), event
    assert event.detail
    return event.reason


def test_a_minimal_product_is_read() -> None:
    event = read(MINIMAL)

    assert isinstance(event, Product)
    assert event.version == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)


def test_versions_in_epoch_milliseconds_equal_their_iso_form() -> None:
    iso, milliseconds = read(MINIMAL), read(MINIMAL | {"updated_at": 1_767_225_600_000})

    assert isinstance(iso, Product)
    assert isinstance(milliseconds, Product)
    assert iso.version == milliseconds.version


@pytest.mark.parametrize(
    "title", ["👗🔥", "فستان أحمر", "红色条纹连衣裙", "Zoë’s café", "a\u202eb", "é" * 1000], ids=str.__repr__
)
def test_any_script_is_welcome(title: str) -> None:
    event = read(MINIMAL | {"title": title})

    assert isinstance(event, Product)
    assert event.title == title


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{broken", InvalidReason.NOT_JSON),
        (b"\xff\xfe\x00", InvalidReason.NOT_JSON),
        (b"", InvalidReason.NOT_JSON),
        (b"[" * 100_000, InvalidReason.NOT_JSON),
        (b"null", InvalidReason.INVALID_FIELDS),
        (b"[1, 2]", InvalidReason.INVALID_FIELDS),
        ({"id": "p1", "updated_at": 1}, InvalidReason.INVALID_FIELDS),
        ({"id": "p1", "title": "x"}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": "yesterday"}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": "2026-01-01T00:00:00"}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": 1.5}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": True}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": 10**30}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": "2999-01-01T00:00:00Z"}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"updated_at": -5}, InvalidReason.INVALID_VERSION),
        (MINIMAL | {"price": 10**12, "currency": "EUR"}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"price": -1, "currency": "EUR"}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"price": 5}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"price": 5, "currency": "euro"}, InvalidReason.INVALID_FIELDS),
        (b'{"id":"p1","title":"x","updated_at":1,"rating":NaN}', InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"title": " "}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"title": "x" * 2_001}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"language": "!!"}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"image_links": ["gopher://x"]}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"colour": "red"}, InvalidReason.INVALID_FIELDS),
        (MINIMAL | {"id": "line\nbreak"}, InvalidReason.INVALID_FIELDS),
        ({"op": "u", "before": None, "after": 5, "ts_ms": 1}, InvalidReason.INVALID_FIELDS),
    ],
)
def test_what_cannot_be_used_says_why(value: object, reason: InvalidReason) -> None:
    assert reason_of(value) == reason


def test_a_hundred_megabyte_title_is_refused_before_it_is_parsed() -> None:
    assert reason_of(b'{"title":"' + b"x" * 100_000_000) == InvalidReason.TOO_LARGE


def test_a_key_that_is_not_the_id_is_refused() -> None:
    assert reason_of(MINIMAL, key=b"p2") == InvalidReason.KEY_MISMATCH


def test_an_invalid_event_keeps_the_raw_bytes() -> None:
    event = read(b"{broken")

    assert isinstance(event, InvalidEvent)
    assert event.raw == b"{broken"


def test_a_tombstone_takes_its_version_from_the_header_or_else_from_the_broker() -> None:
    codec = ProductCodec()

    assert codec.decode(b"p1", None, NOW_MS, deletion_headers(42)) == ProductDeletion("p1", 42)
    assert codec.decode(b"p1", None, NOW_MS) == ProductDeletion("p1", NOW_MS * 1000, dated=False)


@pytest.mark.parametrize("header", [None, b"", b"soon", b"-5", b"9" * 40])
def test_a_tombstone_with_a_bad_version_is_refused(header: bytes | None) -> None:
    event = ProductCodec().decode(b"p1", None, NOW_MS, {"updated_at_us": header})

    assert isinstance(event, InvalidEvent)
    assert event.reason == InvalidReason.INVALID_VERSION


def test_a_tombstone_without_a_key_is_refused() -> None:
    event = ProductCodec().decode(None, None, NOW_MS)

    assert isinstance(event, InvalidEvent)
    assert event.reason == InvalidReason.MISSING_KEY


class TestDebezium:
    codec = ProductCodec(
        ProductMapping(
            fields={"id": "sku", "title": "name", "price": "cents"}, constants={"currency": "EUR"}, price_divisor=100
        )
    )
    row: ClassVar = {"sku": 7, "name": "Mug", "cents": 1299}

    def envelope(self, op: str, **parts: object) -> dict[str, object]:
        return {"op": op, "before": None, "after": None, "source": {"ts_ms": 5_000}, "ts_ms": 9_000, **parts}

    @pytest.mark.parametrize("op", ["c", "r", "u"])
    def test_a_changed_row_is_a_product_at_the_databases_time(self, op: str) -> None:
        event = read(self.envelope(op, after=self.row), b'{"sku":7}', self.codec)

        assert isinstance(event, Product)
        assert (event.id, event.title, str(event.price), event.version) == ("7", "Mug", "12.99", 5_000_000)

    def test_schema_and_payload_are_unwrapped(self) -> None:
        value = {"schema": {}, "payload": self.envelope("c", after=self.row)}

        assert isinstance(read(value, b'{"schema":{},"payload":{"sku":7}}', self.codec), Product)

    def test_a_deleted_row_is_a_deletion(self) -> None:
        assert read(self.envelope("d", before=self.row), b'{"sku":7}', self.codec) == ProductDeletion("7", 5_000_000)

    def test_a_deletion_is_newer_than_the_row_that_it_deletes(self) -> None:
        codec = ProductCodec(ProductMapping(fields={"id": "sku", "title": "name", "updated_at": "changed"}))
        envelope = self.envelope("d", before={"sku": 7, "name": "Mug", "changed": 6_000})

        assert read(envelope, b'{"sku":7}', codec) == ProductDeletion("7", 6_000_001)

    def test_microseconds_of_the_database_tell_changes_of_one_millisecond_apart(self) -> None:
        event = read(self.envelope("u", after=self.row, source={"ts_ms": 5_000, "ts_us": 5_000_123}), b"7", self.codec)

        assert isinstance(event, Product)
        assert event.version == 5_000_123

    @pytest.mark.parametrize("source", [{"ts_us": 2**62}, {"ts_us": -1}, {"ts_us": True}, {"ts_ms": "soon"}, [], 5])
    def test_a_time_that_is_none_never_stops_the_stream(self, source: object) -> None:
        event = read(self.envelope("u", after=self.row, source=source), b"7", self.codec)

        assert isinstance(event, Product | InvalidEvent)

    def test_the_tombstone_after_it_finds_its_id_in_the_key_struct(self) -> None:
        assert self.codec.decode(b'{"sku":7}', None, NOW_MS) == ProductDeletion("7", NOW_MS * 1000, dated=False)

    def test_a_row_that_breaks_the_rules_is_refused(self) -> None:
        event = read(self.envelope("c", after={"sku": 7, "name": "Mug", "cents": "many"}), b'{"sku":7}', self.codec)

        assert isinstance(event, InvalidEvent)
        assert "cents" in event.detail


def test_unset_fields_are_not_written() -> None:
    assert json.loads(encode_product(Product.model_validate(MINIMAL))) == MINIMAL
