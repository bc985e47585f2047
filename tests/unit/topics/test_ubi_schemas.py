"""The documents of User Behavior Insights, held against its own schemas."""

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from serving.openapi_examples import EVENT
from topics.behavior import BehaviorEvent, BehaviorQuery, QueryAttributes, encode_event

pytestmark = pytest.mark.data

LONG = "x" * 101
POSITIONS = [{"ordinal": 1}, {"ordinal": 3.0}, {"xy": {"x": 1, "y": 0.5}}, {"ordinal": 2, "xy": "no", "more": 1}]
NO_POSITIONS = [3, [], {}, {"ordinal": "3"}, {"ordinal": 1.5}, {"ordinal": True}, {"xy": {"x": 1}},
    {"ordinal": 1, "xy": {"x": 1, "y": 1}}]  # fmt: skip
OBJECTS = [{"object_id": "sku-1"}, {"object_id": 7, "object_id_type": "product", "internal_id": 3, "colour": "red"}]
NO_OBJECTS = ["sku-1", {}, {"object_id": ["x"]}, {"object_id": "x" * 257}, {"object_id": True},
    {"object_id": "x", "object_id_type": 1}, {"object_id": "x", "object_id_field": LONG},
    {"object_id": "x", "internal_id": 1.5}]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "action_name": ["click", "dwell", "x" * 100, LONG, 3, ["click"]],
    "timestamp": ["2018-11-13T20:20:39+00:00", "2018-11-13T20:20:39", "2018-11-13T20:20:39.25Z", 1542140439, {}],
    "query_id": ["", "q-1", LONG, 1],
    "session_id": ["s", LONG, 1.5],
    "client_id": ["c", LONG, True],
    "user_id": ["u", LONG, {}],
    "application": ["shop", LONG, 1],
    "message_type": ["QUERY", LONG, 1],
    "message": ["x" * 1024, "x" * 1025, 1],
    "user_query": ["x" * 2_000, 1],
    "event_attributes": [
        [],
        {"position": {"ordinal": 1}, "dwell_seconds": 2.5},
        *({"position": position} for position in POSITIONS + NO_POSITIONS),
        *({"position": {"ordinal": 1}, "object": thing} for thing in OBJECTS + NO_OBJECTS),
    ],
    "event_id": ["a word of the shop's own", 3, None],
}
GOOD = {"action_name": "click", "timestamp": "2018-11-13T20:20:39Z"}
documents = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
texts = st.text(st.characters(codec="utf-8"), max_size=100)


@pytest.fixture(scope="module")
def event_schema(shared_data: Path) -> dict[str, Any]:
    return orjson.loads((shared_data / "ubi" / "event.schema.json").read_bytes())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def events(event_schema: dict[str, Any]) -> Draft202012Validator:
    """The event schema with two of its `oneOf` read as `anyOf`: their alternatives are the usual words and any word, so
    that by the letter a usual word, which is both, is refused."""
    relaxed = copy.deepcopy(event_schema)
    thing = relaxed["properties"]["event_attributes"]["properties"]["object"]
    for place in (relaxed["properties"]["action_name"], thing["properties"]["object_id_type"]):
        place["anyOf"] = place.pop("oneOf")
    return Draft202012Validator(relaxed)


@pytest.fixture(scope="module")
def queries(shared_data: Path) -> Draft202012Validator:
    schema = orjson.loads((shared_data / "ubi" / "query.request.schema.json").read_bytes())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_by_the_letter_the_schema_refuses_every_usual_action(
    event_schema: dict[str, Any], events: Draft202012Validator
) -> None:
    letter = Draft202012Validator(event_schema)
    for action in event_schema["properties"]["action_name"]["oneOf"][0]["enum"]:
        assert not letter.is_valid(EVENT | {"action_name": action})
        assert events.is_valid(EVENT | {"action_name": action})
    assert letter.is_valid(EVENT | {"action_name": "dwell"})


def test_an_event_is_taken_where_the_schema_takes_it(events: Draft202012Validator) -> None:
    @given(documents)
    def check(document: dict[str, Any]) -> None:
        assert is_taken(document) == events.is_valid(document)

    check()


def test_each_wrong_value_is_refused_as_the_schema_refuses_it(events: Draft202012Validator) -> None:
    for name, values in VALUES.items():
        for value in values:
            assert is_taken(GOOD | {name: value}) == events.is_valid(GOOD | {name: value}), (name, value)


@pytest.mark.parametrize(
    "stricter",
    [{"action_name": ""}, {"timestamp": "2018-11-13"}, {"timestamp": "soon"}]
    + [{"event_attributes": {"position": {"ordinal": 1}, "object": {"object_id": name}}} for name in ("", 1.0)],
)
def test_what_names_nothing_is_refused_though_the_schema_takes_it(
    events: Draft202012Validator, stricter: dict[str, Any]
) -> None:
    assert events.is_valid(EVENT | stricter)
    assert not is_taken(EVENT | stricter)


@pytest.mark.parametrize("milder", [{"query_id": None}, {"event_attributes": {"object": {"object_id": "sku-1"}}}])
def test_what_is_plain_is_taken_though_the_schema_refuses_it(
    events: Draft202012Validator, milder: dict[str, Any]
) -> None:
    assert not events.is_valid(EVENT | milder)
    assert is_taken(EVENT | milder)


def test_what_is_published_of_an_event_fits_the_schema(events: Draft202012Validator) -> None:
    taken = {name: [value for value in values if is_taken(GOOD | {name: value})] for name, values in VALUES.items()}
    optional = {name: st.sampled_from(values) for name, values in taken.items()}

    @given(st.fixed_dictionaries({name: optional.pop(name) for name in GOOD}, optional=optional))
    def check(document: dict[str, Any]) -> None:
        events.validate(orjson.loads(encode_event(BehaviorEvent.model_validate(document))))

    check()


def test_what_is_published_of_a_query_fits_the_schema(queries: Draft202012Validator) -> None:
    @given(texts, st.none() | texts, st.lists(texts, max_size=5), st.sampled_from([0.5, 1.0]))
    @settings(max_examples=30)
    def check(text: str, name: str | None, hits: list[str], chance: float) -> None:
        query = BehaviorQuery(
            query_id="q-1",
            user_query=text,
            timestamp=datetime(2026, 11, 21, tzinfo=UTC),
            user_id=name,
            session_id=name,
            query_response_hit_ids=tuple(hits),
            query_attributes=QueryAttributes(
                positions=tuple(range(1, len(hits) + 1)), propensities=(chance,) * len(hits), kind="text"
            ),
        )
        queries.validate(orjson.loads(encode_event(query)))

    check()


def is_taken(document: dict[str, Any]) -> bool:
    try:
        BehaviorEvent.model_validate(document)
    except ValidationError:
        return False
    return True
