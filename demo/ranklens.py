"""RankLens as a shop's events: real choices in lists of movies. https://github.com/metarank/ranklens, CC BY-SA 4.0."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from feedback.settings import ProfileSettings
from learning.replay import LoopSettings
from ranking.feature_settings import (
    AffinityFeature,
    ClosenessFeature,
    Feature,
    HistoryFeature,
    ImpressionsFeature,
    LiftFeature,
    NumberFeature,
    PositionFeature,
    RateFeature,
    SeenFeature,
)
from topics.behavior import BehaviorEvent, BehaviorQuery, EventAttributes, EventObject
from topics.events import Product
from topics.shop_log import LoggedEvent, ShopLogError, logged_objects

_APART = ("title", "description", "genres")

_VALUES = ("categories", "tags", "actors", "director")
_NUMBERS: Mapping[str, Literal["linear", "log"]] = {
    "popularity": "log",
    "vote_avg": "linear",
    "vote_cnt": "log",
    "budget": "log",
    "runtime": "linear",
    "release_date": "linear",
}
_PLAIN: tuple[Feature, ...] = (
    PositionFeature(name="position"),
    RateFeature(name="click_rate"),
    ImpressionsFeature(name="impressions"),
    HistoryFeature(name="actions"),
    *(NumberFeature(name=field, field=field, scale=scale) for field, scale in _NUMBERS.items()),
)
_IN_COMMON: tuple[Feature, ...] = tuple(
    AffinityFeature(name=f"{field}_in_common", field=field, learns_from="actions") for field in _VALUES
)
FEATURES: tuple[Feature, ...] = (
    *_PLAIN,
    LiftFeature(name="lift"),
    SeenFeature(name="seen"),
    *(AffinityFeature(name=f"{field}_affinity", field=field) for field in _VALUES),
    *(ClosenessFeature(name=f"{field}_closeness", field=field, scale=scale) for field, scale in _NUMBERS.items()),
)
# what the yardstick sees: what the movies had in common with those that were clicked before, and no more of taste
YARDSTICK: tuple[Feature, ...] = (*_PLAIN, *_IN_COMMON)


def ranklens_loop() -> LoopSettings:
    return LoopSettings((*FEATURES, *_IN_COMMON), ProfileSettings(prior_impressions=10))


def read_ranklens(path: Path) -> Iterator[LoggedEvent]:
    """The events of the file, in the form of Metarank's demo, in its order. Raises ShopLogError."""
    for place, fields in logged_objects(path):
        try:
            yield _event(fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ShopLogError(f"{place}: no event of RankLens: {type(error).__name__}: {error}") from None


def looks_like_ranklens(path: Path) -> bool:
    """By its first line. Raises ShopLogError."""
    first: Mapping[str, Any] = next((fields for _, fields in logged_objects(path)), {})
    return "updated_at" not in first and first.get("event") in ("item", "ranking", "interaction")


def _event(fields: Mapping[str, Any]) -> LoggedEvent:
    match fields["event"]:
        case "item":
            return _product(fields)
        case "ranking":
            return _query(fields)
        case "interaction":
            return _click(fields)
    raise ValueError(f"unknown event {fields['event']!r}")


def _product(item: Mapping[str, Any]) -> Product:
    fields = {field["name"]: field["value"] for field in item["fields"]}
    return Product(
        id=item["item"],
        updated_at=_time(item),
        title=fields["title"],
        description=fields.get("description", ""),
        categories=tuple(fields.get("genres", ()))[:20],
        attributes={name: value for name, value in fields.items() if name not in _APART},
    )


def _query(ranking: Mapping[str, Any]) -> BehaviorQuery:
    return BehaviorQuery(
        query_id=ranking["id"],
        user_query="",
        timestamp=_time(ranking),
        user_id=ranking["user"],
        session_id=ranking["session"],
        query_response_hit_ids=tuple(item["id"] for item in ranking["items"]),
    )


def _click(interaction: Mapping[str, Any]) -> BehaviorEvent:
    return BehaviorEvent.model_validate(
        {
            "event_id": interaction["id"],
            "action_name": interaction["type"],
            "timestamp": _time(interaction),
            "query_id": interaction["ranking"],
            "user_id": interaction["user"],
            "session_id": interaction["session"],
            "event_attributes": EventAttributes(object=EventObject(object_id=interaction["item"])),
        }
    )


def _time(event: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(event["timestamp"]) / 1000, UTC)
