"""The click loop on a real Kafka: exact while its process is killed, its broker is killed and its store is away."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.clicks.shop import START
from benchmarks.join_exactness import (
    click_loop_process,
    click_loop_settings,
    joined_lists,
    measure,
    wait_until_done,
)
from deploy.kafka.broker import LocalKafka
from deploy.kafka.jars import KafkaUnavailable
from feedback.example_log import ExampleLog
from feedback.sqlite_store import SqliteStore
from tests.services.shop import wait_until
from tests.unit.feedback.behavior import asked, did
from topics.admin import TopicAdmin
from topics.behavior import encode_event
from topics.catalogue import (
    BEHAVIOR_EVENTS,
    BEHAVIOR_QUERIES,
    SHOPPERS_ERASED,
    dead_letter_topic,
    topics_on_broker,
)
from topics.feedback import ShopperErased
from topics.publisher import Publisher
from topics.snapshot import KeptRecord, Snapshot

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A broker that may be killed."""
    try:
        broker = LocalKafka(tmp_path_factory.mktemp("own-kafka"))
    except KafkaUnavailable as absent:
        pytest.skip(str(absent))
    with broker:
        TopicAdmin(broker.settings()).apply(topics_on_broker(broker.settings()))
        yield broker


def test_lists_are_exact_over_kills_of_process_and_broker_and_an_outage_of_the_store(
    own_kafka: LocalKafka, tmp_path: Path
) -> None:
    """Shuffled, with repeats and late clicks. The same with 20,000 lists is a benchmark."""

    log = tmp_path / "click-loop.log"

    def trouble(send: Callable[[], None]) -> None:
        with closing(sqlite3.connect(tmp_path / "profiles.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            send()
            wait_until(lambda: "Waiting for the profile store" in log.read_text())
            other.execute("ROLLBACK")
        own_kafka.kill()
        own_kafka.start()

    found = measure(tmp_path, own_kafka.settings(), lists=600, kills=2, trouble=trouble)

    assert (found.wrong, found.wrong_rows) == ([], [])
    assert found.restarts == 2
    assert found.messages > 600 + found.late


def test_what_cannot_be_read_is_put_aside_and_an_erased_shopper_is_gone_everywhere(
    own_kafka: LocalKafka, tmp_path: Path
) -> None:
    kafka = own_kafka.settings().model_copy(update={"namespace": "second."})
    TopicAdmin(kafka).apply(topics_on_broker(kafka))
    settings = click_loop_settings(tmp_path, kafka)
    publisher = Publisher(kafka, "shoppers")
    for query in (asked("q1", "a"), asked("q2", "a", shopper="bob"), asked("q3", "a", at=500)):
        publisher.publish(BEHAVIOR_QUERIES, query.key, encode_event(query))
    for event in (did("q1", "a"), did("q2", "a", shopper="bob")):
        publisher.publish(BEHAVIOR_EVENTS, event.key, encode_event(event))
    publisher.publish(BEHAVIOR_QUERIES, b"x", b'{"query_id":"x"}')
    publisher.publish(BEHAVIOR_EVENTS, b"x", b"{")
    with click_loop_process(tmp_path, settings):
        publisher.flush(30)
        wait_until_done(kafka)
        erased = ShopperErased(shopper="ann", at=START + 100)
        publisher.publish(SHOPPERS_ERASED, b"ann", erased.model_dump_json().encode())
        publisher.flush(30)
        wait_until_done(kafka)
        again = asked("q1", "a")  # still on its way when the person asked to be forgotten
        publisher.publish(BEHAVIOR_QUERIES, again.key, encode_event(again))
        publisher.close(30)
        wait_until_done(kafka)

    letters: list[KeptRecord] = []
    topics = [dead_letter_topic(topic) for topic in (BEHAVIOR_QUERIES, BEHAVIOR_EVENTS)]
    Snapshot(kafka, topics).read(letters.append, lambda _: None)
    assert sorted(dict(letter.headers)["reason"] or b"" for letter in letters) == [b"invalid_fields", b"not_json"]
    lists, _ = joined_lists(kafka)
    assert set(lists) == {"q1", "q2", "q3"}
    log = ExampleLog(settings.click_loop.examples.url, lambda _: {})
    assert [one.query_id for day in log.days() for one in log.read(day, day)] == ["q2", "q3"]
    store = SqliteStore(settings.profiles.path, 5)
    assert store.read(["list:q1", "counted:q1"]) == [None, None]
    assert None not in store.read(["list:q2", "counted:q2", "shopper:bob", "erased:ann"])
    store.close()
