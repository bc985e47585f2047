"""What a filter means, and that Milvus's reading of its expression is the same."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from milvus_lite.schema.types import CollectionSchema, DataType, FieldSchema
from milvus_lite.search.filter import compile_filter, evaluate_mask

from index.base import TEXT_FIELD, ContentHashes, Filter, IndexRefused, ProductRow
from index.filters import check, facet, key, matcher
from index.milvus_filters import expression, ids_expression
from index.milvus_schema import row_of

COLUMNS = {
    "id": (DataType.VARCHAR, pa.string()),
    "brand": (DataType.VARCHAR, pa.string()),
    "price": (DataType.DOUBLE, pa.float64()),
    "facets": (DataType.VARCHAR, pa.string()),
    "numbers": (DataType.JSON, pa.string()),
}
SCHEMA = CollectionSchema([FieldSchema(name, dtype, nullable=name == "price") for name, (dtype, _) in COLUMNS.items()])

NASTY = [
    '"',
    "\\",
    '\\"',
    "' or true",
    '"] or id != "',
    "a\nb\r\t",
    "%",
    "_",
    "🙂",
    "\x00",
    "{x}",
    "1",
    "True",
    "é",
    "e\u0301",
]
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -0.25, 1e9, 1e-9, 1.0])
VALUES = TEXTS | NUMBERS | st.booleans()
NAMES = st.sampled_from(["a", 'c"] or true or numbers["'])
DOCUMENTS = st.fixed_dictionaries(
    {"id": TEXTS},
    optional={
        "brand": TEXTS,
        "categories": st.lists(TEXTS, min_size=1, max_size=3),
        "price": NUMBERS,
        "attributes": st.dictionaries(NAMES, VALUES | st.lists(TEXTS, max_size=3), min_size=1),
    },
)


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=1, max_size=3).map(tuple)


ATTRIBUTES = NAMES.map(lambda name: f"attributes.{name}")
FILTERS = st.one_of(
    st.builds(Filter, st.sampled_from(["brand", "categories", "id"]), several(TEXTS)),
    st.builds(Filter, st.just("price"), several(NUMBERS)),
    st.builds(Filter, ATTRIBUTES, several(VALUES)),
    st.builds(Filter, st.just("price") | ATTRIBUTES, st.just(()), NUMBERS, st.none() | NUMBERS),
    st.builds(Filter, st.just("price") | ATTRIBUTES, st.just(()), st.none(), NUMBERS),
)


def in_milvus(condition: str, documents: list[Mapping[str, Any]]) -> list[bool]:
    """What milvus-lite's own parser and evaluator let through."""
    vectors = {TEXT_FIELD: np.ones(2, np.float32)}
    rows = [
        row_of(ProductRow(str(document["id"]), 1, document, "", ContentHashes(), vectors), {TEXT_FIELD: 2})
        for document in documents
    ]
    columns = {
        name: pa.array([json.dumps(row[name]) if dtype is DataType.JSON else row[name] for row in rows], arrow)
        for name, (dtype, arrow) in COLUMNS.items()
    }
    mask: list[bool] = evaluate_mask(compile_filter(condition, SCHEMA), pa.table(columns)).tolist()
    return mask


@given(st.lists(DOCUMENTS, min_size=1, max_size=4), FILTERS)
def test_milvus_lets_through_what_the_matcher_does(documents: list[Mapping[str, Any]], condition: Filter) -> None:
    matches = matcher(condition)
    assert in_milvus(expression([condition]), documents) == [matches(document) for document in documents]


@given(st.lists(DOCUMENTS, min_size=1, max_size=4), st.lists(FILTERS, min_size=2, max_size=3))
def test_milvus_joins_several_filters_by_and(documents: list[Mapping[str, Any]], conditions: list[Filter]) -> None:
    matchers = [matcher(condition) for condition in conditions]
    expected = [all(matches(document) for matches in matchers) for document in documents]
    assert in_milvus(expression(conditions, ['id != ""']), documents) == expected


@given(st.lists(TEXTS, min_size=1, max_size=5), TEXTS)
def test_ids_of_any_characters_are_looked_up_as_they_are(wanted: list[str], other: str) -> None:
    documents = [{"id": id_} for id_ in [*wanted, other]]
    assert in_milvus(ids_expression(wanted), documents) == [True] * len(wanted) + [other in wanted]


@given(TEXTS, VALUES)
def test_a_facet_has_no_character_that_means_something(field: str, value: str | float | bool) -> None:
    assert facet(field, value).isalnum()
    assert facet(field, value).isascii()
    assert key(field).isalnum()


def test_facets_differ_where_field_kind_or_value_do() -> None:
    different = [("a", "1"), ("a", 1), ("a", True), ("b", "1"), ("a\x00text", "1"), ("a", "True"), ("a", "1.0")]
    assert len({facet(*pair) for pair in different}) == len(different)
    assert facet("a", 1) == facet("a", 1.0)


@pytest.mark.parametrize("name", ["", "title", "attributes", "attributes.", "version", "deleted", "facets", "numbers"])
def test_only_known_fields_can_be_filtered_by(name: str) -> None:
    with pytest.raises(IndexRefused, match=r"there are id, brand, .*attributes\.<name>"):
        check(Filter(name, ("x",)))


@pytest.mark.parametrize(
    "condition",
    [
        Filter("brand"),
        Filter("price"),
        Filter("categories", at_least=1),
        Filter("id", at_most=1),
        Filter("brand", (True,)),
        Filter("price", (True,)),
        Filter("price", (float("nan"),)),
        Filter("attributes.a", (float("inf"),)),
        Filter("attributes.a", (None,)),  # type: ignore[arg-type]
        Filter("attributes.a", at_least=float("-inf")),
        Filter("rating", at_least="4"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_conditions_that_no_document_can_answer_are_refused(condition: Filter) -> None:
    for ask in (check, matcher, lambda refused: expression([refused])):
        with pytest.raises(IndexRefused):
            ask(condition)
