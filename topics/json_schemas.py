"""The JSON Schema of each event, committed beside the code, and the rule that a change must keep old events readable.

`python -m topics.json_schemas` writes the snapshots anew; it refuses when an event of yesterday could no longer be
read.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from topics.behavior import BehaviorEvent, BehaviorQuery
from topics.catalogue import (
    BEHAVIOR_EVENTS,
    BEHAVIOR_QUERIES,
    CATALOG_INDEXED,
    CATALOG_PRODUCTS,
    DEAD_LETTER_RESOLUTIONS,
    FEEDBACK_EXAMPLES,
    SHOPPERS_ERASED,
)
from topics.events import DeadLetterResolved, Product, ProductIndexed
from topics.feedback import JoinedList, ShopperErased

SNAPSHOTS = Path(__file__).parent / "schemas"
_MODELS: Mapping[str, type[BaseModel]] = {
    CATALOG_PRODUCTS: Product,
    CATALOG_INDEXED: ProductIndexed,
    BEHAVIOR_QUERIES: BehaviorQuery,
    BEHAVIOR_EVENTS: BehaviorEvent,
    FEEDBACK_EXAMPLES: JoinedList,
    SHOPPERS_ERASED: ShopperErased,
    DEAD_LETTER_RESOLUTIONS: DeadLetterResolved,
}
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_FIXED = ("pattern", "format", "type", "const")


def current_schemas() -> dict[str, dict[str, Any]]:
    """Topic to the JSON Schema (2020-12) of its values, as the code reads them now."""
    return {
        topic: {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema()
        for topic, model in _MODELS.items()
    }


def snapshot(topic: str) -> dict[str, Any]:
    """The committed schema. Raises FileNotFoundError for a topic that never had one."""
    schema: dict[str, Any] = json.loads((SNAPSHOTS / f"{topic}.json").read_text())
    return schema


def incompatibilities(old: Any, new: Any, place: str = "event") -> Iterator[str]:
    """Why an event that `old` accepts might be refused by `new`; nothing where every one stays readable."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            yield f"{place}: {old!r} became {new!r}"
        return
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{place}.{name} became required"
    yield from _narrowed(old, new, place)
    yield from _members(old, new, place)


def _narrowed(old: Mapping[str, Any], new: Mapping[str, Any], place: str) -> Iterator[str]:
    for bound in _UPPER_BOUNDS:
        if bound in new and new[bound] < old.get(bound, float("inf")):
            yield f"{place}: {bound} went down to {new[bound]}"
    for bound in _LOWER_BOUNDS:
        if bound in new and new[bound] > old.get(bound, float("-inf")):
            yield f"{place}: {bound} went up to {new[bound]}"
    for rule in _FIXED:
        if rule in new and new[rule] != old.get(rule):
            yield f"{place}: {rule} {old.get(rule)!r} became {new[rule]!r}"
    for value in old.get("enum", ()):
        if "enum" in new and value not in new["enum"]:
            yield f"{place}: {value!r} is no longer allowed"
    if "enum" in new and "enum" not in old:
        yield f"{place}: only listed values are allowed now"


def _members(old: Mapping[str, Any], new: Mapping[str, Any], place: str) -> Iterator[str]:
    for group in ("properties", "$defs"):
        for name, schema in old.get(group, {}).items():
            if name in new.get(group, {}):
                yield from incompatibilities(schema, new[group][name], f"{place}.{name}")
            elif new.get("additionalProperties") is False or group == "$defs":
                yield f"{place}.{name} is gone, and what is unknown is refused"
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), Mapping) and part in new:
            yield from incompatibilities(old[part], new[part], f"{place}[]")
    alternatives = old.get("anyOf", [old] if "anyOf" in new else [])
    for alternative in alternatives:
        if "anyOf" in new and all(any(incompatibilities(alternative, other, place)) for other in new["anyOf"]):
            yield f"{place}: {alternative} is no longer accepted"


def write_snapshots() -> list[str]:
    """Write all snapshots, unless one would break old events; then nothing is written and the reasons are returned."""
    schemas = current_schemas()
    reasons = [
        f"{topic}: {reason}"
        for topic, schema in schemas.items()
        if (SNAPSHOTS / f"{topic}.json").exists()
        for reason in incompatibilities(snapshot(topic), schema)
    ]
    if not reasons:
        for topic, schema in schemas.items():
            text = json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False)
            (SNAPSHOTS / f"{topic}.json").write_text(text + "\n")
    return reasons


if __name__ == "__main__":
    sys.exit("\n".join(write_snapshots()) or 0)
