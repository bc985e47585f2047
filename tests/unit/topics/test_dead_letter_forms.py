"""A letter as JSON: what `show --json` prints can go back in by `replay --from-file`, as it is or fixed."""

import json
from typing import Any

import pytest

from topics.dead_letter_forms import FixedMessage, UnusableLine, iso_time, letter_form, read_fixed
from topics.dead_letter_log import FiledLetter
from topics.dead_letters import Source, refused
from topics.events import DeadLetterResolved, InvalidEvent, InvalidReason

SOURCE = Source("catalog.products", 3, 41, 1_700_000_000_123)
WHY = InvalidEvent(InvalidReason.NOT_JSON, "broken", b"{", stack="a:1 f\nb:2 g")
HEADERS = (("text", b"ok"), ("bytes", b"\xff"), ("null", None), ("text", b"again"))
FORM: dict[str, Any] = {"id": SOURCE.id, "key": "p1", "value": "{}"}


def form(key: bytes | None = b"p1", value: bytes | None = b"{broken", filed: FiledLetter | None = None) -> Any:
    filed = filed or FiledLetter(refused(SOURCE, key, value, HEADERS, WHY), 1_700_000_001_000)
    return json.loads(json.dumps(letter_form(filed)))


def one(content: Any) -> FixedMessage:
    (message,) = read_fixed(json.dumps(content).encode())
    assert isinstance(message, FixedMessage), message
    return message


def problem(content: Any) -> str:
    (message,) = read_fixed(content if isinstance(content, bytes) else json.dumps(content).encode())
    assert isinstance(message, UnusableLine)
    return message.reason


def test_a_form_tells_everything_of_a_letter() -> None:
    told = form()

    assert told["id"] == SOURCE.id
    assert (told["topic"], told["partition"], told["offset"]) == ("catalog.products", 3, 41)
    assert (told["source_time"], told["refused_at"]) == (
        "2023-11-14T22:13:20.123+00:00",
        "2023-11-14T22:13:21.000+00:00",
    )
    assert (told["reason"], told["detail"], told["stack"]) == ("not_json", "broken", ["a:1 f", "b:2 g"])
    assert (told["key"], told["value"], told["repeats"], told["resolution"]) == ("p1", "{broken", 0, None)
    assert told["headers"][:2] == [{"name": "text", "value": "ok"}, {"name": "bytes", "value_base64": "/w=="}]


def test_a_form_tells_what_was_done_with_the_letter() -> None:
    mark = DeadLetterResolved(letter=SOURCE.id, action="replayed", at=1.5, by="anna", partition=1, offset=7)
    filed = FiledLetter(refused(SOURCE, b"k", b"{", (), WHY), 1, 2, mark)

    assert form(filed=filed)["repeats"] == 2
    assert form(filed=filed)["resolution"]["by"] == "anna"


@pytest.mark.parametrize(("key", "value"), [(b"p1", b"{broken"), (None, None), (b"\xff", b"\xfe\x00"), (b"", b"")])
def test_a_form_that_nobody_changed_is_the_message_itself(key: bytes | None, value: bytes | None) -> None:
    for document in (form(key, value), {"letters": [form(key, value)]}, [form(key, value)]):
        assert one(document) == FixedMessage(1, SOURCE.id, key, value, HEADERS)


def test_a_form_with_what_show_adds_is_taken_too() -> None:
    assert one(form() | {"refused_now": "not_json"}).value == b"{broken"


def test_a_value_may_be_given_as_json() -> None:
    message = one({"id": SOURCE.id, "key": "p1", "value_json": {"id": "p1", "title": "红"}})

    assert json.loads(message.value or b"") == {"id": "p1", "title": "红"}
    assert message.headers == ()


def test_a_value_given_as_json_keeps_every_digit() -> None:
    message = one({"id": SOURCE.id, "key": "p1", "value_json": {"ean": 123456789012345678901, "price": 1.10}})

    assert message.value == b'{"ean": 123456789012345678901, "price": 1.1}'


@pytest.mark.parametrize("value", ['{"n": NaN}', '{"n": 1e400}', '{"n": "\\ud800"}', "[1]", '"text"', "1"])
def test_what_is_no_json_object_is_refused_as_such(value: str) -> None:
    assert "value_json" in problem(f'{{"id": "{SOURCE.id}", "key": "p1", "value_json": {value}}}'.encode())


@pytest.mark.parametrize("depth", [100, 900, 950, 980, 100_000])
def test_a_nested_value_is_read_or_refused(depth: int) -> None:
    value = '{"a":' * depth + "1" + "}" * depth
    content = f'{{"id": "{SOURCE.id}", "key": "p1", "value_json": {value}}}'.encode()

    (item,) = read_fixed(content)

    assert isinstance(item, FixedMessage) or item.reason


def test_a_tombstone_is_a_null_value() -> None:
    assert one(FORM | {"value": None}).value is None
    assert one({"id": SOURCE.id, "key": "p1", "value_json": None}).value is None


def test_lines_are_read_one_by_one_and_bad_ones_are_named() -> None:
    lines = [json.dumps(FORM), "", "{broken", json.dumps({"letters": [FORM, FORM]}), json.dumps({"id": SOURCE.id})]

    items = list(read_fixed("\n".join(lines).encode()))

    assert [(item.line, type(item)) for item in items] == [
        (1, FixedMessage),
        (3, UnusableLine),
        (4, FixedMessage),
        (4, FixedMessage),
        (5, UnusableLine),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "3:41"}, "id"),
        ({"vlaue": "{}"}, "vlaue"),
        ({"value_base64": "e30="}, "exactly one of value, value_base64, value_json"),
        ({"key_base64": "e30="}, "exactly one of key, key_base64"),
        ({"headers": [{"name": "a"}]}, "headers.0"),
        ({"headers": {"a": "b"}}, "headers"),
        ({"cut": "only the first 2 of 3 bytes of the value were kept"}, "put the whole message in"),
    ],
)
def test_a_form_that_says_too_little_or_too_much_is_refused(change: dict[str, Any], told: str) -> None:
    assert told in problem(FORM | change)


def test_base64_that_is_none_is_refused() -> None:
    assert "value_base64" in problem({"id": SOURCE.id, "key": "p1", "value_base64": "!"})


@pytest.mark.parametrize("content", [b"5", b'"text"', b"null", b"\xff\xfe", b"{"])
def test_a_file_of_something_else_is_refused(content: bytes) -> None:
    assert problem(content)


def test_a_letter_that_is_not_whole_does_not_go_back_in_unseen() -> None:
    filed = FiledLetter(refused(SOURCE, b"k", b"v" * 3_000_000, (), WHY), 1)

    assert "2000000 of 3000000" in problem(form(filed=filed))


def test_a_time_that_no_calendar_has_stops_nothing() -> None:
    assert iso_time(2**62) == "unknown"
