"""Snapshots are current, and a change that would make old events unreadable is refused."""

import copy
from typing import Any

import jsonschema
import pytest

from topics.catalogue import CATALOG_INDEXED, CATALOG_PRODUCTS, DEAD_LETTER_RESOLUTIONS
from topics.json_schemas import current_schemas, incompatibilities, snapshot

SCHEMA = snapshot(CATALOG_PRODUCTS)


@pytest.mark.parametrize("topic", [CATALOG_PRODUCTS, CATALOG_INDEXED, DEAD_LETTER_RESOLUTIONS])
def test_the_code_still_reads_what_the_snapshot_allows(topic: str) -> None:
    assert list(incompatibilities(snapshot(topic), current_schemas()[topic])) == []


@pytest.mark.parametrize("topic", [CATALOG_PRODUCTS, CATALOG_INDEXED, DEAD_LETTER_RESOLUTIONS])
def test_the_snapshot_is_current(topic: str) -> None:
    assert snapshot(topic) == current_schemas()[topic], "run `make schemas`"


def test_snapshots_are_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def changed(*path: str, **values: Any) -> dict[str, Any]:
    schema = copy.deepcopy(SCHEMA)
    place = schema
    for step in path:
        place = place[step]
    place.update(values)
    return schema


def without(name: str) -> dict[str, Any]:
    schema = copy.deepcopy(SCHEMA)
    del schema["properties"][name]
    return schema


@pytest.mark.parametrize(
    "new",
    [
        changed(required=[*SCHEMA["required"], "brand"]),
        without("brand"),
        changed("properties", "title", maxLength=100),
        changed("properties", "title", minLength=5),
        changed("properties", "title", type="integer"),
        changed("properties", "title", pattern="^A"),
        changed("properties", "availability", enum=["in_stock"]),
        changed("properties", "rating", anyOf=[{"type": "null"}]),
        changed("properties", "categories", items={"type": "integer"}),
    ],
    ids=["required", "removed", "shorter", "longer", "type", "pattern", "enum", "anyOf", "items"],
)
def test_a_narrower_schema_is_refused(new: dict[str, Any]) -> None:
    assert list(incompatibilities(SCHEMA, new))


@pytest.mark.parametrize(
    "new",
    [
        changed("properties", colour={"type": "string"}),
        changed("properties", "title", maxLength=9_000),
        changed("properties", "availability", enum=[*SCHEMA["properties"]["availability"]["enum"], "soon"]),
        changed(required=["id", "updated_at"]),
        changed("properties", "language", description="other words"),
    ],
    ids=["new optional field", "longer", "more values", "fewer required", "words"],
)
def test_a_wider_schema_is_fine(new: dict[str, Any]) -> None:
    assert list(incompatibilities(SCHEMA, new)) == []
