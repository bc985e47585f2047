"""The agents of the click loop, over states in memory and a publisher without a broker."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from feedback.example_log import ExampleLog, open_example_log
from feedback.example_settings import ExampleLogSettings
from feedback.join_settings import JoinSettings
from feedback.joining import ClickJoin
from feedback.memory_store import MemoryStore
from feedback.person_erasure import PersonErasure
from feedback.settings import ProfileSettings
from feedback.store import StoreUnavailable
from feedback.traffic import TrafficSettings
from feedback.updating import ProfileUpdater
from monitoring.exposition import create_registry
from monitoring.metrics import create_metrics
from streams.click_loop import ClickLoopParts, create_agents, create_click_loop_app
from streams.erase_shoppers import EraseShoppers
from streams.join_clicks import JoinClicks
from streams.outbox import NotTaken, Outbox
from streams.settings import ClickLoopSettings
from streams.update_profiles import UpdateProfiles
from streams.write_examples import WriteExamples, extent_of
from tests.unit.feedback.behavior import START, asked, did
from tests.unit.streams.conftest import FixedRecord
from tests.unit.streams.publishing import FixedPublisher
from topics.behavior import BehaviorEvent, BehaviorQuery, encode_event
from topics.catalogue import BEHAVIOR_EVENTS, BEHAVIOR_QUERIES, FEEDBACK_EXAMPLES, SHOPPERS_ERASED, dead_letter_topic
from topics.feedback import JoinedList, ShopperErased
from topics.publisher import Publisher
from topics.settings import KafkaSettings


class TroubledStore(MemoryStore):
    """Away for the next `failures` updates."""

    failures = 0

    def update(self, *arguments: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("away")
        super().update(*arguments)


@dataclass
class Bench:
    """All agents' work on one store, and what they published."""

    folder: Path

    def __post_init__(self) -> None:
        self.store = TroubledStore()
        self.publisher = FixedPublisher(at_once=True)
        self.metrics = create_metrics(create_registry())
        self.waits = 0
        self.settings = ExampleLogSettings(url=str(self.folder / "examples"), compact_files=2, compact_minutes=1)
        self.log = open_example_log(self.settings, self.store)
        outbox = Outbox(cast(Publisher, self.publisher), self.metrics, self.wait)
        clicks = ClickJoin(self.store, JoinSettings(), TrafficSettings())
        self.join = JoinClicks(clicks, outbox, self.metrics, self.wait, BEHAVIOR_QUERIES, 10_000)
        self.update = UpdateProfiles(ProfileUpdater(self.store, ProfileSettings()), outbox, self.metrics, self.wait)
        erasure = PersonErasure(self.store, ProfileSettings(), self.log, keep_days=1)
        self.erase = EraseShoppers(erasure, outbox, self.metrics, self.wait)
        self.now = 0.0
        self.write = WriteExamples(self.log, self.settings, self.metrics, self.wait, clock=lambda: self.now)

    def wait(self) -> None:
        self.waits += 1

    def sent(self, topic: str) -> list[FixedRecord]:
        """What was published there, as records of that topic."""
        messages = [message for message in self.publisher.sent if message.sent_to == topic]
        return [
            FixedRecord(message.key, message.value, topic, offset=offset, headers=tuple(dict(message.headers).items()))
            for offset, message in enumerate(messages)
        ]

    def rows(self) -> list[JoinedList]:
        return [one for day in self.log.days() for one in self.log.read(day, day, suspects=True)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def record(said: BehaviorQuery | BehaviorEvent) -> FixedRecord:
    topic = BEHAVIOR_QUERIES if isinstance(said, BehaviorQuery) else BEHAVIOR_EVENTS
    return FixedRecord(said.key, encode_event(said), topic)


def test_a_click_goes_all_the_way(bench: Bench) -> None:
    bench.join([record(asked("q", "a", "b")), record(did("q", "b"))])
    joined = bench.sent(FEEDBACK_EXAMPLES)
    bench.update(joined)
    bench.write(joined)

    assert [one.key for one in joined] == [b"q"]
    assert [[action.product_id for action in one.actions] for one in bench.rows()] == [["b"]]
    assert None not in bench.store.read(["list:q", "shopper:ann", "counted:q"])


def test_what_cannot_be_read_is_put_aside_with_its_reason_and_the_rest_goes_on(bench: Bench) -> None:
    bad = [
        FixedRecord(b"x", b"{", BEHAVIOR_EVENTS, offset=7),
        FixedRecord(b"x", None, BEHAVIOR_EVENTS, offset=8),
        FixedRecord(b"x", b'{"query_id":"x"}', BEHAVIOR_QUERIES, offset=9),
        FixedRecord(b"x", b" " * 10_001, BEHAVIOR_QUERIES, offset=10),
    ]
    bench.join([*bad, record(asked("q", "a"))])

    events, queries = (bench.sent(dead_letter_topic(topic)) for topic in (BEHAVIOR_EVENTS, BEHAVIOR_QUERIES))
    assert [dict(letter.headers)["reason"] for letter in events + queries] == [
        b"not_json", b"not_json", b"invalid_fields", b"too_large",
    ]  # fmt: skip
    assert [dict(letter.headers)["source_offset"] for letter in events + queries] == [b"7", b"8", b"9", b"10"]
    assert len(bench.sent(FEEDBACK_EXAMPLES)) == 1


def test_a_query_whose_list_no_message_would_hold_is_put_aside(bench: Bench) -> None:
    bench.join = JoinClicks(
        ClickJoin(bench.store, JoinSettings(), TrafficSettings()),
        Outbox(cast(Publisher, bench.publisher), bench.metrics, bench.wait),
        bench.metrics, bench.wait, BEHAVIOR_QUERIES, 1_000_000,
    )  # fmt: skip
    bench.join([record(asked("long", *(f"{number}" for number in range(7_000)))), record(asked("q", "a"))])

    (letter,) = bench.sent(dead_letter_topic(BEHAVIOR_QUERIES))
    assert dict(letter.headers)["reason"] == b"too_large"
    assert [one.key for one in bench.sent(FEEDBACK_EXAMPLES)] == [b"q"]


def test_a_list_that_cannot_be_read_is_put_aside_once(bench: Bench) -> None:
    bad = FixedRecord(b"q", json.dumps({"query_id": "q"}).encode(), FEEDBACK_EXAMPLES)
    bench.update([bad])
    bench.write([bad])

    assert len(bench.sent(dead_letter_topic(FEEDBACK_EXAMPLES))) == 1


@pytest.mark.parametrize("agent", ["join", "update", "erase"])
def test_a_store_that_is_away_is_waited_for(bench: Bench, agent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    bench.join([record(asked("q", "a"))])
    records = {
        "join": [record(asked("q", "a"))],
        "update": bench.sent(FEEDBACK_EXAMPLES),
        "erase": [erasure_of("ann")],
    }
    waits = bench.waits
    bench.store.failures = 2

    cast(Callable[[Sequence[FixedRecord]], None], getattr(bench, agent))(records[agent])

    assert bench.store.failures == 0
    assert bench.waits >= waits + 2


def test_a_message_that_the_broker_does_not_take_ends_the_work(bench: Bench) -> None:
    class Refusing(FixedPublisher):
        def publish_many(self, *messages: Any) -> Any:
            left = super().publish_many(*messages)
            self.fail("too large")
            return left

    outbox = Outbox(cast(Publisher, Refusing()), bench.metrics, bench.wait)

    with pytest.raises(NotTaken, match="too large"):
        outbox.send(FEEDBACK_EXAMPLES, [(b"q", b"{}")])


def test_a_full_queue_is_waited_for(bench: Bench) -> None:
    bench.publisher.overloads = 2
    bench.join([record(asked(f"q{number}", "a")) for number in range(3)])

    assert len(bench.sent(FEEDBACK_EXAMPLES)) == 3


def erasure_of(shopper: str, after: float = 1_000) -> FixedRecord:
    erased = ShopperErased(shopper=shopper, at=START + after)
    return FixedRecord(shopper.encode(), erased.model_dump_json().encode(), SHOPPERS_ERASED)


def test_an_erased_shopper_is_gone_from_all_parts_and_does_not_come_back(bench: Bench) -> None:
    said = [
        record(asked("q", "a")), record(did("q", "a")), record(asked("other", "a", shopper="bob")),
        record(did("other", "a", shopper="ann")), record(asked("later", "a", at=2_000)),
    ]  # fmt: skip
    bench.join(said)
    bench.update(bench.sent(FEEDBACK_EXAMPLES))
    bench.write(bench.sent(FEEDBACK_EXAMPLES))

    bench.erase([erasure_of("ann"), FixedRecord(b"x", None, SHOPPERS_ERASED), FixedRecord(b"x", b"{", SHOPPERS_ERASED)])
    before = len(bench.publisher.sent)
    for again in (bench.join, bench.update, bench.write):
        records = said if again == bench.join else bench.sent(FEEDBACK_EXAMPLES)[: before - 1]
        again(records)

    (bobs,) = bench.store.read(["list:other"])
    assert {one.query_id for one in bench.rows()} == {"other", "later"}
    assert bench.store.read(["list:q", "counted:q"]) == [None, None]
    assert bobs is not None
    assert b"ann" not in bobs
    assert None not in bench.store.read(["list:later", "shopper:ann", "erased:ann"])
    assert len(bench.sent(dead_letter_topic(SHOPPERS_ERASED))) == 1


def test_small_files_are_put_together_when_it_is_time(bench: Bench) -> None:
    def write(number: int) -> None:
        bench.join([record(asked(f"q{number}", "a"))])
        (last,) = bench.sent(FEEDBACK_EXAMPLES)[-1:]
        bench.write([FixedRecord(last.key, last.value, FEEDBACK_EXAMPLES, offset=number)])

    for number in range(3):
        write(number)
    assert len(files(bench.log)) == 3
    bench.now += 61
    waits = bench.waits
    write(3)
    assert bench.waits >= waits + 4, "each file that is read is a sign of life"

    assert len(files(bench.log)) == 1
    assert len(bench.rows()) == 4


def files(log: ExampleLog) -> list[Path]:
    return list(Path(log._root).rglob("*.parquet"))


def test_records_are_named_by_where_they_lie_and_when_they_came() -> None:
    def at(partition: int, offset: int, timestamp: int) -> FixedRecord:
        return FixedRecord(None, None, FEEDBACK_EXAMPLES, partition, offset, timestamp)

    assert extent_of([at(1, 5, 50), at(0, 3, 30), at(1, 6, 60)]) == "0:3@30-3@30,1:5@50-6@60"
    assert extent_of([at(0, 3, 30)]) != extent_of([at(0, 3, 31)])  # a topic that was made anew


def test_each_agent_reads_its_topics_in_one_group(tmp_path: Path) -> None:
    kafka, settings = KafkaSettings(namespace="shop."), ClickLoopSettings(max_batches_in_flight=64)
    store = MemoryStore()
    log = open_example_log(ExampleLogSettings(url=str(tmp_path)), store)
    publisher = cast(Publisher, FixedPublisher())
    parts = ClickLoopParts(store, ProfileSettings(), log, publisher, create_metrics(create_registry()), {})

    agents = create_agents(settings, kafka, parts, crash)
    app = create_click_loop_app(settings, kafka, agents, crash)

    assert app.conf.id == "shop.millrace-click-loop"
    assert {name: {str(topic) for topic in agent.channel.topics} for name, agent in app.agents.items()} == {
        "join-clicks": {"shop.behavior.queries", "shop.behavior.events"},
        "update-profiles": {"shop.feedback.examples"},
        "write-examples": {"shop.feedback.examples"},
        "erase-shoppers": {"shop.shoppers.erased"},
    }
    assert app.transport.max_in_flight == 64


def test_a_process_does_not_gather_for_so_long_that_it_is_taken_for_a_stalled_one() -> None:
    assert ClickLoopSettings(stalled_seconds=10).examples.gather_seconds == 5
    with pytest.raises(ValueError, match=r"examples.gather_seconds = 61 is more than half of stalled_seconds = 120"):
        ClickLoopSettings(examples=ExampleLogSettings(gather_seconds=61))


def crash(error: BaseException) -> Any:
    raise AssertionError("an agent crashed") from error
