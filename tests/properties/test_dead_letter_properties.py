"""Whatever a message is, its dead letter gives it back as it came, through Kafka's headers and through JSON."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from topics.dead_letter_forms import FixedMessage, letter_form, read_fixed
from topics.dead_letter_log import FiledLetter
from topics.dead_letters import Source, header_pairs, parse_letter, refused
from topics.events import InvalidEvent, InvalidReason

CONTENT = st.none() | st.binary(max_size=200) | st.text(max_size=50).map(lambda text: text.encode())
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
HEADERS = st.lists(st.tuples(NAMES, CONTENT), max_size=6).map(tuple)
SOURCES = st.builds(
    Source,
    st.just("catalog.products"),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(-1, 2**62),
)
REASONS = st.builds(
    InvalidEvent, st.sampled_from(InvalidReason), st.text(max_size=2_000), st.just(b""), st.text(max_size=5_000)
)


@given(SOURCES, CONTENT, CONTENT, HEADERS, REASONS)
def test_a_letter_on_its_topic_is_the_letter_that_was_sent(
    source: Source,
    key: bytes | None,
    value: bytes | None,
    headers: tuple[tuple[str, bytes | None], ...],
    why: InvalidEvent,
) -> None:
    letter = refused(source, key, value, headers, why)

    assert (letter.source, letter.key, letter.value, letter.headers) == (source, key, value, headers)
    assert letter.cut == ""
    assert parse_letter(letter.key, letter.value, header_pairs(letter)) == letter


@given(SOURCES, CONTENT, CONTENT, HEADERS, REASONS)
def test_a_letter_as_json_is_the_same_message(
    source: Source,
    key: bytes | None,
    value: bytes | None,
    headers: tuple[tuple[str, bytes | None], ...],
    why: InvalidEvent,
) -> None:
    filed = FiledLetter(refused(source, key, value, headers, why), 0)

    assert list(read_fixed(orjson.dumps(letter_form(filed)))) == [FixedMessage(1, source.id, key, value, headers)]


@given(st.binary())
def test_no_file_breaks_the_reader(content: bytes) -> None:
    list(read_fixed(content))
