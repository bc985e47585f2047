"""A shop's events in one file: products, queries with what was shown, and what was done; one JSON object a line."""

import gzip
import math
from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Iterator, Sequence
from io import BufferedReader
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

import orjson
from pydantic import ValidationError

from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import Product

LoggedEvent: TypeAlias = Product | BehaviorQuery | BehaviorEvent


class ShopLogError(Exception):
    """A file that cannot be used; the message names the line and says what to do."""


def read_shop_log(path: Path) -> Iterator[LoggedEvent]:
    """The events in the order of the file; `.gz` is unpacked.

    UBI events have an `action_name`, UBI queries a `user_query`; whatever else there is are products. Raises
    ShopLogError.
    """
    for place, line in logged_objects(path):
        try:
            yield _event(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = "".join(f"{part}: " for part in [".".join(map(str, first["loc"]))] if part)
            said = first["msg"].removeprefix("Value error, ")
            raise ShopLogError(f"{place}: {where}{said}; {_taken_for(line)}") from None


def in_order_of_time(events: Iterable[LoggedEvent]) -> list[LoggedEvent]:
    """What was asked and done by its time, at equal times as it stood; a product stays behind what stood before it."""
    latest = -math.inf
    timed: list[tuple[float, LoggedEvent]] = []
    for event in events:
        at = latest if isinstance(event, Product) else event.timestamp.timestamp()
        latest = max(latest, at)
        timed.append((at, event))
    timed.sort(key=itemgetter(0))
    return [event for _, event in timed]


def known_from_the_start(events: Sequence[LoggedEvent], known: Collection[str] = ()) -> list[LoggedEvent]:
    """The first version of a product stands before everything where a list shows the product earlier; all else stays.

    `known`: ids of products that have a version before these events.
    """
    held, shown = set(known), set[str]()
    moved: dict[int, LoggedEvent] = {}
    for place, event in enumerate(events):
        if isinstance(event, BehaviorQuery):
            shown.update(event.query_response_hit_ids)
        elif isinstance(event, Product) and event.id not in held:
            held.add(event.id)
            if event.id in shown:
                moved[place] = event
    return [*moved.values(), *(event for place, event in enumerate(events) if place not in moved)]


def logged_objects(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The JSON objects of a file of one a line, each with its place for messages. Raises ShopLogError."""
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield f"{path}, line {number}", _object(line, f"{path}, line {number}")
    except (OSError, EOFError) as error:
        raise ShopLogError(f"cannot read {path}: {error}") from None


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _object(line: bytes, place: str) -> dict[str, object]:
    try:
        parsed = orjson.loads(line.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise ShopLogError(f"{place}: not JSON in UTF-8: {error}") from None
    if not isinstance(parsed, dict):
        raise ShopLogError(f"{place}: write one JSON object a line")
    return parsed


def _taken_for(fields: dict[str, object]) -> str:
    if "action_name" in fields:
        return "it has an action_name and is taken for an event"
    if "user_query" in fields:
        return "it has a user_query and is taken for a query"
    return "it has no action_name, as an event has, and no user_query, as a query has, and is taken for a product"


def _event(fields: dict[str, object]) -> LoggedEvent:
    if "action_name" in fields:
        return BehaviorEvent.model_validate(fields)
    if "user_query" in fields:
        return BehaviorQuery.model_validate(fields)
    return Product.model_validate(fields)
