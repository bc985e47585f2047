"""Events of shoppers as User Behavior Insights writes them."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from topics.behavior import BehaviorEvent, as_document

CLICK = {
    "action_name": "click",
    "timestamp": "2026-11-21T10:15:00Z",
    "query_id": "q-1",
    "event_attributes": {"object": {"object_id": "sku-1", "object_id_field": "sku"}, "position": {"ordinal": 3}},
}


def test_what_ubi_or_the_shop_adds_is_kept() -> None:
    sent = {**CLICK, "application": "shop", "event_attributes": {**CLICK["event_attributes"], "dwell": 2.5}}  # type: ignore[dict-item]
    assert as_document(BehaviorEvent.model_validate(sent)) == sent


def test_a_time_without_an_offset_is_utc_and_one_with_an_offset_is_kept() -> None:
    times = ("2018-11-13T20:20:39", "2018-11-13T20:20:39Z", "2018-11-13T21:20:39+01:00")
    read = [BehaviorEvent.model_validate({**CLICK, "timestamp": time}).timestamp for time in times]
    assert read == [datetime(2018, 11, 13, 20, 20, 39, tzinfo=UTC)] * 3
    assert read[2].utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("thing", "product_id"),
    [
        ({"object_id": "sku-1"}, "sku-1"),
        ({"object_id": 123}, "123"),
        ({"object_id": "sku-1", "object_id_type": "product"}, "sku-1"),
        ({"object_id": "u-7", "object_id_type": "user"}, None),
        (None, None),
    ],
)
def test_the_product_is_the_object_where_it_is_one(thing: object, product_id: str | None) -> None:
    event = BehaviorEvent.model_validate({**CLICK, "event_attributes": {"object": thing}})
    assert event.product_id == product_id


def test_events_of_one_query_have_one_key_and_others_that_of_who_acted() -> None:
    without = {name: value for name, value in CLICK.items() if name != "query_id"}
    assert BehaviorEvent.model_validate({**CLICK, "session_id": "s"}).key == b"q-1"
    assert BehaviorEvent.model_validate({**without, "session_id": "s"}).key == b"s"
    assert BehaviorEvent.model_validate({**without, "session_id": "s", "user_id": "u"}).key == b"u"
    assert BehaviorEvent.model_validate(without).key is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"action_name": ""},
        {"action_name": "x" * 101},
        {"timestamp": "yesterday"},
        {"timestamp": None},
        {"session_id": "x" * 101},
        {"event_attributes": {"object": {"object_id": ""}}},
        {"event_attributes": {"object": {}}},
    ],
    ids=str,
)
def test_what_ubi_does_not_allow_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BehaviorEvent.model_validate({**CLICK, **wrong})


@pytest.mark.parametrize("timestamp", [1763719200, 1763719200000, 0.5, True, "1763719200", "0.5"])
def test_a_number_is_no_timestamp_since_its_unit_would_be_a_guess(timestamp: object) -> None:
    with pytest.raises(ValidationError, match="ISO 8601"):
        BehaviorEvent.model_validate({"action_name": "click", "timestamp": timestamp})


@pytest.mark.parametrize("object_id", [True, 1.0])
def test_an_object_is_named_by_a_text_or_a_whole_number(object_id: object) -> None:
    event = {"action_name": "click", "timestamp": "2026-11-21T10:15:00Z"}
    with pytest.raises(ValidationError):
        BehaviorEvent.model_validate(event | {"event_attributes": {"object": {"object_id": object_id}}})
