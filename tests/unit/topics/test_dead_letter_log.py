"""What lies on the topics becomes one letter for each refused message. The broker is librdkafka's mock cluster."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from topics.catalogue import CATALOG_PRODUCTS, DEAD_LETTER_RESOLUTIONS, DEAD_LETTER_SOURCES, dead_letter_topic
from topics.dead_letter_forms import FixedMessage
from topics.dead_letter_log import FiledLetter, LetterBox, LetterFilter, Place, read_letters
from topics.dead_letter_replay import DeadLetterDesk, Replay, replay_as_it_was, replay_fixed
from topics.dead_letters import DeadLetter, DeadLetterError, Source, header_pairs, refused
from topics.embedded_broker import MockCluster
from topics.events import InvalidEvent, InvalidReason
from topics.publisher import Publisher
from topics.settings import KafkaSettings
from topics.snapshot import KeptRecord, Snapshot

LETTERS = dead_letter_topic(CATALOG_PRODUCTS)
NOT_JSON = InvalidEvent(InvalidReason.NOT_JSON, "broken", b"{")
NO_PRICE = InvalidEvent(InvalidReason.INVALID_FIELDS, "no price", b"{}")
NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[MockCluster]:
    cluster = MockCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def kafka(cluster: MockCluster, request: pytest.FixtureRequest) -> KafkaSettings:
    return settings_with_topics(cluster, f"{request.node.name}."[:90])


def settings_with_topics(cluster: MockCluster, namespace: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers, namespace=namespace)
    for topic in (CATALOG_PRODUCTS, *map(dead_letter_topic, DEAD_LETTER_SOURCES), DEAD_LETTER_RESOLUTIONS):
        cluster.create_topic(settings.on_broker(topic), 2)
    return settings


@pytest.fixture(scope="module")
def three_letters(cluster: MockCluster) -> KafkaSettings:
    settings = settings_with_topics(cluster, "three.")
    publisher = Publisher(settings, "test")
    put(publisher, letter(1), letter(2, NO_PRICE, key=b'{"payload":{"id":7}}'), letter(3, key=b"p2"))
    publisher.close()
    return settings


@pytest.fixture
def publisher(kafka: KafkaSettings) -> Iterator[Publisher]:
    publisher = Publisher(kafka, "test")
    yield publisher
    publisher.close()


def letter(offset: int, why: InvalidEvent = NOT_JSON, key: bytes | None = b"p1", timestamp_ms: int = 5) -> DeadLetter:
    return refused(Source(CATALOG_PRODUCTS, 0, offset, timestamp_ms), key, b"{", [("a", b"1"), ("a", b"2")], why)


def put(publisher: Publisher, *letters: DeadLetter) -> None:
    for each in letters:
        publisher.publish(LETTERS, each.key, each.value, header_pairs(each))
    assert publisher.flush(10) == 0


def filed(box: LetterBox) -> dict[int, FiledLetter]:
    return {each.letter.source.offset: each for each in box.letters}


def test_a_letter_is_read_as_it_was_put(kafka: KafkaSettings, publisher: Publisher) -> None:
    put(publisher, letter(1), letter(2, NO_PRICE, key=None))

    box = read_letters(kafka, LetterFilter())

    assert {each.letter for each in box.letters} == {letter(1), letter(2, NO_PRICE, key=None)}
    assert all(each.repeats == 0 and each.resolution is None for each in box.letters)
    assert (box.unreadable, box.expired) == ([], 0)


def test_a_letter_that_was_written_twice_is_one(kafka: KafkaSettings, publisher: Publisher) -> None:
    """A worker that ends between its dead letter and its commit writes it again, without a key anywhere."""
    put(publisher, *[letter(1, key=None)] * 3, letter(2))

    assert {offset: each.repeats for offset, each in filed(read_letters(kafka, LetterFilter())).items()} == {1: 2, 2: 0}


def test_the_same_offset_of_a_topic_that_was_made_anew_is_another_letter(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    put(publisher, letter(1), letter(1, timestamp_ms=6))

    assert len(read_letters(kafka, LetterFilter()).letters) == 2


def test_no_letters_are_no_letters(kafka: KafkaSettings) -> None:
    assert read_letters(kafka, LetterFilter()).letters == []


def test_what_is_no_letter_is_named_and_left_out(kafka: KafkaSettings, publisher: Publisher) -> None:
    publisher.publish(LETTERS, b"k", b"somebody's message")
    publisher.publish(DEAD_LETTER_RESOLUTIONS, b"k", b"{")
    put(publisher, letter(1))

    box = read_letters(kafka, LetterFilter())

    assert len(box.letters) == 1
    assert len(box.unreadable) == 2
    assert any(LETTERS in text and "source_topic" in text for text in box.unreadable)


def test_a_letter_that_names_another_topic_as_its_source_is_none(kafka: KafkaSettings, publisher: Publisher) -> None:
    put(publisher, replace(letter(1), source=Source("other", 0, 1, 5)))

    box = read_letters(kafka, LetterFilter())

    assert box.letters == []
    (text,) = box.unreadable
    assert "'other'" in text


def test_headlines_are_letters_without_their_messages(kafka: KafkaSettings, publisher: Publisher) -> None:
    put(publisher, letter(1), letter(1))

    (only,) = read_letters(kafka, LetterFilter(), headlines=True).letters

    assert (only.id, only.letter.key, only.letter.reason, only.repeats) == (letter(1).source.id, b"p1", "not_json", 1)
    assert (only.letter.value, only.letter.headers, only.letter.stack) == (None, (), "")


def test_resolved_letters_are_left_out_where_only_open_ones_are_wanted(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    put(publisher, letter(1), letter(2))
    list(DeadLetterDesk(publisher, "anna").discard([FiledLetter(letter(1), 9)]))

    assert set(filed(read_letters(kafka, LetterFilter(open_only=True)))) == {2}
    assert set(filed(read_letters(kafka, LetterFilter(open_only=True, places=[Place(0, 1)])))) == {1}


@pytest.mark.parametrize(
    ("wanted", "offsets"),
    [
        (LetterFilter(), {1, 2, 3}),
        (LetterFilter(reasons=["not_json"]), {1, 3}),
        (LetterFilter(key="p2"), {3}),
        (LetterFilter(key="7"), {2}),
        (LetterFilter(places=[Place(0, 1), Place(0, 3, CATALOG_PRODUCTS, 5)]), {1, 3}),
        (LetterFilter(places=[Place(1, 1), Place(0, 2, "other"), Place(0, 3, timestamp_ms=6)]), set()),
        (LetterFilter(since_ms=0), {1, 2, 3}),
        (LetterFilter(since_ms=2**60), set()),
        (LetterFilter(until_ms=2**60), {1, 2, 3}),
        (LetterFilter(until_ms=0), set()),
        (LetterFilter(reasons=["not_json"], key="p1"), {1}),
    ],
)
def test_a_filter_takes_what_it_says(three_letters: KafkaSettings, wanted: LetterFilter, offsets: set[int]) -> None:
    assert set(filed(read_letters(three_letters, wanted))) == offsets


def test_a_replay_is_the_message_with_its_origin_and_marks_the_letter(
    kafka: KafkaSettings, publisher: Publisher
) -> None:
    put(publisher, letter(1), letter(2))
    letters = filed(read_letters(kafka, LetterFilter()))

    (sent,) = DeadLetterDesk(publisher, "anna", "why not", lambda: NOW).replay([replay_as_it_was(letters[1])])

    (record,) = records(kafka, CATALOG_PRODUCTS)
    assert (record.key, record.value) == (b"p1", b"{")
    assert record.headers == (("a", b"1"), ("a", b"2"), ("replayed_from", b"catalog.products/0/1/5"))
    assert (sent.partition, sent.offset, sent.error) == (record.partition, record.offset, "")
    letters = filed(read_letters(kafka, LetterFilter()))
    mark = letters[1].resolution
    assert mark is not None
    assert (mark.action, mark.by, mark.note, mark.at, mark.fixed) == ("replayed", "anna", "why not", NOW, False)
    assert (mark.partition, mark.offset) == (record.partition, record.offset)
    assert letters[2].resolution is None


def records(kafka: KafkaSettings, topic: str) -> list[KeptRecord]:
    found: list[KeptRecord] = []
    Snapshot(kafka, [topic]).read(found.append, lambda _: None)
    return found


def test_the_newest_mark_counts(kafka: KafkaSettings, publisher: Publisher) -> None:
    put(publisher, letter(1))
    (only,) = read_letters(kafka, LetterFilter()).letters

    for by, at in (("anna", NOW), ("ben", NOW + 9), ("clock behind", NOW + 1)):
        list(DeadLetterDesk(publisher, by, clock=lambda at=at: at).discard([only]))  # type: ignore[misc]

    (only,) = read_letters(kafka, LetterFilter()).letters
    assert only.resolution is not None
    assert (only.resolution.by, only.resolution.action) == ("ben", "discarded")


def test_more_letters_than_go_at_once_keep_their_order(kafka: KafkaSettings, publisher: Publisher) -> None:
    put(publisher, *(letter(offset) for offset in range(120)))
    letters = read_letters(kafka, LetterFilter()).letters

    sent = list(DeadLetterDesk(publisher, "anna").replay(list(map(replay_as_it_was, letters))))

    assert [each.replay.source.offset for each in sent] == list(range(120))
    offsets = [each.offset for each in sent]
    assert offsets == sorted(offsets)
    assert all(each.resolution for each in read_letters(kafka, LetterFilter()).letters)


def test_a_message_that_the_broker_does_not_take_stays_open(kafka: KafkaSettings, publisher: Publisher) -> None:
    put(publisher, letter(1), letter(2))
    letters = filed(read_letters(kafka, LetterFilter()))
    huge = FixedMessage(1, letters[1].id, b"p1", b"x" * 3_000_000, ())
    replays = [replay_fixed(letters[1], huge), replay_as_it_was(letters[2])]

    sent = {each.replay.source.offset: each for each in DeadLetterDesk(publisher, "anna").replay(replays)}

    assert "large" in sent[1].error
    assert sent[2].error == ""
    letters = filed(read_letters(kafka, LetterFilter()))
    assert letters[1].resolution is None
    assert letters[2].resolution is not None


def tombstone(*headers: tuple[str, bytes | None]) -> FiledLetter:
    return FiledLetter(refused(Source(CATALOG_PRODUCTS, 0, 1, 5), b"p1", None, headers, NOT_JSON), 9)


def test_a_tombstone_without_a_version_keeps_the_one_of_its_arrival() -> None:
    assert dict(replay_as_it_was(tombstone()).headers)["updated_at_us"] == b"5000"


def test_a_tombstone_with_a_version_keeps_it() -> None:
    assert dict(replay_as_it_was(tombstone(("updated_at_us", b"7"))).headers)["updated_at_us"] == b"7"


def test_a_replay_of_a_replay_names_the_last_letter_only() -> None:
    headers = replay_as_it_was(tombstone(("replayed_from", b"catalog.products/9/9/9"))).headers

    assert [content for name, content in headers if name == "replayed_from"] == [b"catalog.products/0/1/5"]


def test_a_fixed_message_is_told_from_one_that_nobody_changed() -> None:
    one = FiledLetter(letter(1), 9)
    content = one.letter

    def replay(value: bytes) -> Replay:
        return replay_fixed(one, FixedMessage(1, one.id, content.key, value, content.headers))

    assert replay(b"{}").fixed
    assert not replay(b"{").fixed


def test_a_letter_that_was_cut_cannot_be_replayed() -> None:
    cut = FiledLetter(replace(letter(1), value_bytes=100), 9)

    with pytest.raises(DeadLetterError, match="the first 1 of 100 bytes"):
        replay_as_it_was(cut)
