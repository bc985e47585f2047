"""The stack of a refusal names modules, lines and functions, and nothing of the machine."""

import re
import threading

from topics.codec import ProductCodec
from topics.events import InvalidEvent, InvalidReason


def lines_of(key: bytes, value: bytes | None, headers: dict[str, bytes | None] | None = None) -> list[str]:
    event = ProductCodec().decode(key, value, 0, headers)
    assert isinstance(event, InvalidEvent)
    return event.stack.splitlines()


def test_the_innermost_call_stands_last_and_each_line_is_a_place_in_the_code() -> None:
    lines = lines_of(b"k", None, {"updated_at_us": b"soon"})

    assert re.fullmatch(r"topics\.codec:\d+ ProductCodec\._tombstone", lines[-1])
    assert re.fullmatch(r"topics\.codec:\d+ ProductCodec\.decode", lines[-2])
    assert all(re.fullmatch(r"[\w.]+:\d+ [\w.<>]+", line) for line in lines)


def test_what_an_exception_went_through_follows_its_name() -> None:
    lines = lines_of(b"k", b"{broken")
    raised = lines.index("raised ValidationError")

    assert any("ProductCodec._event" in line for line in lines[raised:])
    assert not any("ProductCodec._event" in line for line in lines[:raised])


def test_a_deep_call_keeps_the_innermost_lines() -> None:
    def dive(depth: int) -> list[str]:
        return dive(depth - 1) if depth else lines_of(b"k", None, {"updated_at_us": b"soon"})

    lines = dive(50)

    assert len(lines) == 12
    assert "_tombstone" in lines[-1]


def test_a_thread_of_its_own_begins_with_its_own_work() -> None:
    stacks: list[list[str]] = []

    def work() -> None:
        stacks.append(lines_of(b"k", None, {"updated_at_us": b"soon"}))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert "work" in stacks[0][0]


def test_two_refusals_for_the_same_reason_are_equal_wherever_they_happened() -> None:
    one = InvalidEvent(InvalidReason.NOT_JSON, "broken", b"{")
    other = InvalidEvent(InvalidReason.NOT_JSON, "broken", b"{")

    assert one == other
    assert one.stack != other.stack
