"""Whatever stands in a record of what people do: it is refused, or it goes through join, counts and example log."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.example_rows import to_lists, to_table
from feedback.memory_store import MemoryStore
from feedback.settings import ProfileSettings
from feedback.updating import ProfileUpdater
from streams.reading import read_value
from tests.unit.feedback.behavior import START, click_join
from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.events import InvalidEvent
from topics.feedback import JoinedList

QUERY = {
    "query_id": "q",
    "user_query": "lamp",
    "timestamp": "2026-11-20T10:00:00Z",
    "user_id": "ann",
    "session_id": "morning",
    "query_response_hit_ids": ["a", "b"],
    "query_attributes": {
        "positions": [1, 2],
        "propensities": [0.5, 1],
        "retrieval_positions": [2, 1],
        "retrieval_scores": [0.5, -1],
        "releases": {"ranker": "7"},
        "context": {"place": "Berlin"},
        "arm": "B",
    },
}
EVENT = {
    "action_name": "click",
    "timestamp": "2026-11-20T10:00:05Z",
    "query_id": "q",
    "user_id": "ann",
    "session_id": "morning",
    "event_id": "1",
    "event_attributes": {"object": {"object_id": "a"}, "position": {"ordinal": 1}, "dwell_seconds": 3},
}
# JSON as others write it: 1e400 is infinite to most that read it, and whole numbers have no end.
NUMBERS = ("1e400", "-1e400", "1e308", "1e-320", "0", "-1", "1.5", *(str(2**bits) for bits in (31, 63, 64, 9_000)))
TEXTS = ("", "\0", "😀", "x" * 5_000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "NaN", "Infinity")
HOSTILE = (*NUMBERS, *map(json.dumps, TEXTS), "null", "true", "[]", "{}", "[[[]]]")
_MARK = "here stands what is hostile"
_MOST_BYTES = 1_000_000


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All of its values, by the way to them."""
    if isinstance(document, dict | list):
        inner = document.items() if isinstance(document, dict) else enumerate(document)
        return [place for key, value in inner for place in [(*path, key), *places(value, (*path, key))]]
    return []


def with_hostile(document: dict[str, Any], place: tuple[Any, ...], hostile: str) -> bytes:
    changed = copy.deepcopy(document)
    at: Any = changed
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = _MARK
    return json.dumps(changed).replace(json.dumps(_MARK), hostile).encode()


@settings(max_examples=200)
@given(
    st.tuples(st.sampled_from(places(QUERY)), st.sampled_from(HOSTILE)),
    st.tuples(st.sampled_from(places(EVENT)), st.sampled_from(HOSTILE)),
)
def test_a_record_is_refused_or_goes_all_the_way(
    in_query: tuple[tuple[Any, ...], str], in_event: tuple[tuple[Any, ...], str]
) -> None:
    query = read_value(with_hostile(QUERY, *in_query), BehaviorQuery, _MOST_BYTES)
    event = read_value(with_hostile(EVENT, *in_event), BehaviorEvent, _MOST_BYTES)
    store = MemoryStore()
    joined = click_join(store).join(
        [] if isinstance(query, InvalidEvent) else [query], [] if isinstance(event, InvalidEvent) else [event]
    )
    lists = [JoinedList.model_validate_json(value) for _, value in joined.messages]
    ProfileUpdater(store, ProfileSettings(), lambda: START).apply(lists)

    assert list(to_lists(to_table(lists))) == lists
