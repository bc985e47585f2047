"""A dead letter holds the whole message, or says what it lacks."""

import pytest

from topics.dead_letters import DeadLetter, NoDeadLetter, Source, header_pairs, parse_letter, refused
from topics.events import InvalidEvent, InvalidReason
from topics.publisher import MAX_MESSAGE_BYTES

SOURCE = Source("catalog.products", 3, 41, 1_700_000_000_123)
WHY = InvalidEvent(InvalidReason.NOT_JSON, "broken", b"{", stack="topics.codec:1 decode")


def stored(letter: DeadLetter) -> DeadLetter:
    return parse_letter(letter.key, letter.value, header_pairs(letter))


def test_a_letter_keeps_the_message_its_headers_its_reason_and_its_origin() -> None:
    headers = (("trace", b"\xff\x00"), ("trace", b"second"), ("reason", b"the shop's own"), ("null", None))

    letter = stored(refused(SOURCE, b"\xfe", b"{", headers, WHY))

    assert (letter.source, letter.key, letter.value, letter.headers) == (SOURCE, b"\xfe", b"{", headers)
    assert (letter.reason, letter.detail, letter.stack) == ("not_json", "broken", "topics.codec:1 decode")
    assert letter.cut == ""
    assert letter.source.id == "catalog.products/3/41/1700000000123"


def test_null_and_empty_are_told_apart() -> None:
    assert stored(refused(SOURCE, None, None, (), WHY)).key is None
    assert stored(refused(SOURCE, b"", b"", (), WHY)).value == b""


def test_what_no_topic_would_take_is_cut_and_said() -> None:
    headers = [("small", b"1"), ("large", b"x" * 50_000), ("last", b"2")]
    why = InvalidEvent(InvalidReason.TOO_LARGE, "é" * 5_000, b"", stack="a:1 b\n" * 5_000)

    letter = refused(SOURCE, b"k" * 20_000, b"v" * 3_000_000, headers, why)
    pairs = header_pairs(letter)

    size = sum(len(part or b"") for part in (letter.key, letter.value, *(content for _, content in pairs)))
    assert size + sum(len(name) for name, _ in pairs) < MAX_MESSAGE_BYTES - 10_000
    assert letter.headers == (("small", b"1"), ("last", b"2"))
    assert stored(letter) == letter
    assert letter.detail == "é" * 500
    assert letter.stack.endswith("a:1 b\n")
    for part in ("10000 of 20000 bytes of the key", "2000000 of 3000000 bytes of the value", "2 of 3 headers"):
        assert part in letter.cut


def test_a_letter_of_an_older_version_has_no_stack_and_no_headers_of_its_message() -> None:
    pairs = [(name, content) for name, content in header_pairs(refused(SOURCE, b"k", b"{", (), WHY)) if name != "stack"]

    letter = parse_letter(b"k", b"{", pairs)

    assert (letter.stack, letter.headers, letter.source) == ("", (), SOURCE)


@pytest.mark.parametrize("lost", ["reason", "source_topic", "source_partition", "source_offset", "source_timestamp_ms"])
def test_a_record_without_a_reason_or_a_source_is_no_letter(lost: str) -> None:
    pairs = [pair for pair in header_pairs(refused(SOURCE, b"k", b"{", (), WHY)) if pair[0] != lost]

    with pytest.raises(NoDeadLetter, match=lost):
        parse_letter(b"k", b"{", pairs)


def test_a_record_with_an_offset_that_is_no_number_is_no_letter() -> None:
    pairs = dict(header_pairs(refused(SOURCE, b"k", b"{", (), WHY))) | {"source_offset": b"x"}

    with pytest.raises(NoDeadLetter):
        parse_letter(b"k", b"{", list(pairs.items()))


def test_a_letter_tells_whose_replay_it_is() -> None:
    replayed = refused(SOURCE, b"k", b"{", [("replayed_from", b"catalog.products/0/1/2")], WHY)

    assert stored(replayed).replayed_from == "catalog.products/0/1/2"
    assert stored(refused(SOURCE, b"k", b"{", (), WHY)).replayed_from == ""
