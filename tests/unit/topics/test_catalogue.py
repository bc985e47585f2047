"""The table of topics: each has a name of its own, a key, and rules that keep what must be kept."""

import re

import pytest

from topics.catalogue import (
    BEHAVIOR_EVENTS,
    BEHAVIOR_QUERIES,
    CATALOG_INDEXED,
    CATALOG_PRODUCTS,
    DEAD_LETTER_RESOLUTIONS,
    DEAD_LETTER_SOURCES,
    FEEDBACK_EXAMPLES,
    SHOPPERS_ERASED,
    TOPICS,
    TopicSpec,
    dead_letter_topic,
)
from topics.json_schemas import current_schemas
from topics.publisher import MAX_MESSAGE_BYTES

SPECS = {spec.name: spec for spec in TOPICS}


def test_each_topic_is_there_once() -> None:
    assert len(SPECS) == len(TOPICS)
    letters = {dead_letter_topic(source) for source in DEAD_LETTER_SOURCES} | {DEAD_LETTER_RESOLUTIONS}
    catalogue, click_loop = {CATALOG_PRODUCTS, CATALOG_INDEXED}, {BEHAVIOR_QUERIES, BEHAVIOR_EVENTS, FEEDBACK_EXAMPLES}
    assert set(SPECS) == catalogue | click_loop | {SHOPPERS_ERASED} | letters


@pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: spec.name)
def test_a_topic_says_what_it_is_for_and_has_a_name_that_kafka_takes(spec: TopicSpec) -> None:
    assert re.fullmatch(r"[a-z.-]{1,200}", spec.name)
    assert spec.purpose
    assert spec.key


@pytest.mark.parametrize("spec", TOPICS, ids=lambda spec: spec.name)
def test_brokers_put_their_own_time_on_records(spec: TopicSpec) -> None:
    """Else a backfill with old times would be deleted within minutes."""
    assert spec.broker_configuration()["message.timestamp.type"] == "LogAppendTime"


def test_products_are_kept_for_ever_by_their_key() -> None:
    configuration = SPECS[CATALOG_PRODUCTS].broker_configuration()

    assert configuration["cleanup.policy"] == "compact"
    assert "retention.ms" not in configuration


def test_what_is_not_compacted_is_kept_for_some_days() -> None:
    kept = {name: spec.broker_configuration().get("retention.ms") for name, spec in SPECS.items()}

    assert kept[CATALOG_INDEXED] == str(7 * 24 * 3_600_000)
    assert kept[dead_letter_topic(CATALOG_PRODUCTS)] == str(30 * 24 * 3_600_000)


def test_a_dead_letter_fits_though_it_is_longer_than_its_source_by_its_headers() -> None:
    source, dead = SPECS[CATALOG_PRODUCTS], SPECS[dead_letter_topic(CATALOG_PRODUCTS)]

    assert dead.max_message_bytes >= 2 * source.max_message_bytes - 100
    assert max(spec.max_message_bytes for spec in TOPICS) == MAX_MESSAGE_BYTES


def test_every_topic_but_dead_letters_has_a_schema() -> None:
    letters = {dead_letter_topic(source) for source in DEAD_LETTER_SOURCES}
    assert set(current_schemas()) == set(SPECS) - letters


def test_what_was_done_with_dead_letters_is_kept_for_ever_by_their_id() -> None:
    assert SPECS[DEAD_LETTER_RESOLUTIONS].cleanup_policy == "compact"


def test_each_source_of_dead_letters_has_their_topic() -> None:
    assert {dead_letter_topic(source) for source in DEAD_LETTER_SOURCES} == {
        name for name in SPECS if name.startswith("dead-letters.") and name != DEAD_LETTER_RESOLUTIONS
    }
