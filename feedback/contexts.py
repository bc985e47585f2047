"""The contexts of lists in which products are counted: the time of day, and the place."""

from collections.abc import Mapping
from enum import IntEnum

from feedback.query_classes import query_class

DAYPART = "daypart"
PLACE = "place"
_PLACES = 1_000  # whatever is sent as a place, the store keeps no more of them for a product


class Daypart(IntEnum):
    """Quarters of the shopper's day, from midnight on."""

    NIGHT = 0
    MORNING = 1
    AFTERNOON = 2
    EVENING = 3


_BY_NAME = {daypart.name.lower(): daypart for daypart in Daypart}


def daypart_name(hour: int) -> str:
    """Of an hour from 0 to 23, as a query's context names it."""
    return Daypart(hour // 6).name.lower()


def daypart_of(context: Mapping[str, str]) -> Daypart | None:
    """None where the context names none, or another one."""
    return _BY_NAME.get(context.get(DAYPART, ""))


def place_class(context: Mapping[str, str]) -> str:
    """The same for places of the same words; one of a thousand, so that two places may share one. Empty: no place."""
    named = query_class(context.get(PLACE, ""))
    return str(int(named, 16) % _PLACES) if named else ""
