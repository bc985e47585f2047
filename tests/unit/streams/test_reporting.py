"""What the world is told of each record, and when the record counts as done."""

from collections.abc import Callable
from dataclasses import dataclass, field

import jsonschema
import orjson
import pytest

from streams.reporting import Reporter
from streams.work import Rejected, Settled, Work
from tests.unit.streams.conftest import Bench, FixedRecord, deletion, picture, product
from tests.unit.streams.publishing import FixedPublisher, SentMessage
from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, dead_letter_topic
from topics.events import InvalidEvent, InvalidReason, ProductIndexed
from topics.json_schemas import snapshot
from topics.publisher import MAX_MESSAGE_BYTES

NOW = 9.0
DEAD_LETTERS = dead_letter_topic(CATALOG_PRODUCTS)


@dataclass
class Desk:
    """A reporter and what it called."""

    bench: Bench
    publisher: FixedPublisher = field(default_factory=FixedPublisher)
    done: int = 0
    failures: list[str] = field(default_factory=list)

    def report(self, work: Work) -> list[SentMessage]:
        releases = self.bench.indexer.releases
        reporter = Reporter(self.publisher, self.bench.metrics, releases, self.failures.append, clock=lambda: NOW)  # type: ignore[arg-type]
        reporter.report(work, self._finish)
        return self.publisher.sent

    def _finish(self) -> None:
        self.done += 1


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


def rejected(record: FixedRecord, detail: str = "no price") -> Work:
    invalid = InvalidEvent(InvalidReason.INVALID_FIELDS, detail, record.value or b"")
    return Work(received_at=2.0, rejected=[Rejected(record, invalid)])


def indexed_event(message: SentMessage) -> ProductIndexed:
    assert message.sent_to == CATALOG_INDEXED
    document = orjson.loads(message.value or b"")
    jsonschema.validate(document, snapshot(CATALOG_INDEXED))
    return ProductIndexed.model_validate(document)


def test_an_indexed_product_is_told_with_the_times_of_each_stage(desk: Desk) -> None:
    work = desk.bench.run(product("a", 7, image_links=[picture("red")]))

    (message,) = desk.report(work)

    assert message.key == b"a"
    assert indexed_event(message) == ProductIndexed(
        product_id="a",
        version=7_000,
        outcome="indexed",
        releases=desk.bench.indexer.releases,
        problems=[],
        event_at=1.0,
        received_at=2.0,
        encoded_at=5.0,
        searchable_at=5.0,
    )


def test_a_backfill_says_so_and_its_old_events_are_no_measure_of_freshness(desk: Desk) -> None:
    work = desk.bench.run(product("a", 7))
    releases = desk.bench.indexer.releases
    reporter = Reporter(
        desk.publisher,  # type: ignore[arg-type]
        desk.bench.metrics,
        releases,
        desk.failures.append,
        clock=lambda: NOW,
        backfill_alias="products_next",
    )
    reporter.report(work, lambda: None)

    assert indexed_event(desk.publisher.sent[0]).index == "products_next"
    assert reporter.reported == 1
    assert desk.bench.counted("freshness_seconds_count", outcome="indexed") == 0
    assert indexed_event(desk.report(work)[1]).index is None
    assert desk.bench.counted("freshness_seconds_count", outcome="indexed") == 1


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        (product("a", 5, price=3, currency="EUR"), "attributes_updated"),
        (deletion("a", 5), "deleted"),
        (product("a", 1), "stale"),
        (product("a", 5, title="other"), "indexed"),
    ],
)
def test_every_outcome_makes_a_valid_event(desk: Desk, record: FixedRecord, outcome: str) -> None:
    desk.bench.run(product("a", 2))

    event = indexed_event(desk.report(desk.bench.run(record))[0])

    assert event.outcome == outcome
    assert (event.encoded_at is not None) == (outcome == "indexed")
    assert event.searchable_at in (5.0, NOW)


def test_what_was_left_out_is_told(desk: Desk) -> None:
    work = desk.bench.run(product("a", 1, image_links=["http://127.0.0.1/x.png"]))

    assert "private_address" in indexed_event(desk.report(work)[0]).problems[0]


def test_a_rejected_record_goes_to_the_dead_letters_with_reason_and_origin(desk: Desk) -> None:
    headers = [("trace", b"1"), ("reason", b"the shop's own")]
    record = FixedRecord(b"k", b"{broken", partition=3, offset=41, timestamp=1_700_000_000_123, headers=headers)

    (message,) = desk.report(desk.bench.run(record))

    assert (message.sent_to, message.key, message.value) == (DEAD_LETTERS, b"k", b"{broken")
    assert message.headers.pop("detail").startswith(b"Invalid JSON")  # type: ignore[attr-defined]
    assert b"ProductCodec.decode" in message.headers.pop("stack")  # type: ignore[attr-defined]
    assert message.headers == {
        "reason": b"not_json",
        "source_topic": b"catalog.products",
        "source_partition": b"3",
        "source_offset": b"41",
        "source_timestamp_ms": b"1700000000123",
        "original.trace": b"1",
        "original.reason": b"the shop's own",
    }


def test_a_rejected_tombstone_stays_one(desk: Desk) -> None:
    (message,) = desk.report(desk.bench.run(FixedRecord(b"", None)))

    assert message.value is None
    assert message.headers["reason"] == b"missing_key"


@pytest.mark.parametrize("key", [b"k", b"k" * 1_000_000])
def test_a_dead_letter_is_cut_to_what_its_topic_takes(desk: Desk, key: bytes) -> None:
    """Otherwise the broker's refusal of the dead letter would stop the stream."""
    record = FixedRecord(key, b"x" * 3_000_000)

    (message,) = desk.report(rejected(record, detail="é" * 5_000))

    size = sum(map(len, (message.key or b"", message.value or b"", *message.headers, *message.headers.values())))
    assert size < MAX_MESSAGE_BYTES - 10_000
    assert message.value == b"x" * 2_000_000
    assert message.headers["truncated_from_bytes"] == b"3000000"
    assert message.headers.get("key_truncated_from_bytes") == (b"1000000" if len(key) > 1 else None)


def test_a_detail_that_no_header_can_hold_as_it_is_does_not_stop_the_stream(desk: Desk) -> None:
    assert desk.report(rejected(FixedRecord(b"k", b"v"), detail="lone \ud800"))[0].headers["detail"] == b"lone ?"


def test_a_work_is_done_once_when_the_last_message_is_acknowledged(desk: Desk) -> None:
    desk.report(desk.bench.run(product("a", 1), product("b", 1), FixedRecord(b"c", b"{")))

    desk.publisher.acknowledge(2)
    assert desk.done == 0
    desk.publisher.acknowledge()
    assert desk.done == 1


def test_nothing_to_tell_is_done_at_once(desk: Desk) -> None:
    desk.report(Work(received_at=2.0))

    assert desk.done == 1


def test_a_message_that_the_broker_refuses_is_never_done(desk: Desk) -> None:
    desk.report(desk.bench.run(product("a", 1), product("b", 1)))

    desk.publisher.fail("disk full")
    desk.publisher.acknowledge()

    assert desk.failures == [f"{CATALOG_INDEXED}: disk full"]
    assert desk.done == 0


def test_a_full_queue_is_waited_for_and_counted(desk: Desk) -> None:
    desk.publisher.overloads = 3

    desk.report(desk.bench.run(product("a", 1), product("b", 1)))
    desk.publisher.acknowledge()

    assert [message.key for message in desk.publisher.sent] == [b"a", b"b"]
    assert desk.publisher.flushes == 3
    assert desk.bench.counted("retries_total", operation="publish", reason="queue_full") == 3
    assert desk.done == 1


def test_everything_is_counted_by_what_became_of_it(desk: Desk) -> None:
    bench = desk.bench
    desk.report(bench.run(product("a", 2), product("a", 1), product("b", 1), FixedRecord(b"c", b"{")))

    def events(outcome: str) -> float:
        return bench.counted("events_total", topic=CATALOG_PRODUCTS, outcome=outcome)

    assert [events(outcome) for outcome in ("indexed", "stale", "rejected", "deleted")] == [2, 1, 1, 0]
    assert bench.counted("dead_letters_total", topic=CATALOG_PRODUCTS, reason="not_json") == 1
    assert bench.counted("last_progress_timestamp_seconds") == NOW


def test_freshness_is_the_time_from_the_brokers_clock_to_searchable(desk: Desk) -> None:
    record = FixedRecord(b"a", None, timestamp=1_000)
    work = Work(received_at=2.0)
    for outcome, searchable_at in (("indexed", 5.0), ("indexed", 0.5), ("deleted", 1.25), ("stale", 0.0)):
        work.settled.append(Settled(record, "a", 1, outcome, searchable_at=searchable_at))  # type: ignore[arg-type]

    desk.report(work)

    counted: Callable[..., float] = desk.bench.counted
    assert counted("freshness_seconds_count", outcome="indexed") == 2
    assert counted("freshness_seconds_sum", outcome="indexed") == pytest.approx(4.0)  # clocks apart count as 0
    assert counted("freshness_seconds_sum", outcome="deleted") == pytest.approx(0.25)
    assert counted("freshness_seconds_count", outcome="stale") == 0
