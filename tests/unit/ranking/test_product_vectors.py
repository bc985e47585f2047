"""Vectors of products out of what the process holds, or out of the index."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.base import IMAGE_FIELD, TEXT_FIELD
from ranking.product_table import ProductTable
from ranking.product_vectors import ProductVectors
from ranking.rankers import Numbers
from ranking.style_vectors import parts, style_vector

DIMENSIONS = {TEXT_FIELD: 2, IMAGE_FIELD: 3}
TEXT, IMAGE = np.array([0.6, -0.8], np.float32), np.array([0.0, 0.0, 1.0], np.float32)


def table(**vectors: Mapping[str, Numbers]) -> ProductTable:
    made = ProductTable([], [])
    made.learn({"id": product_id} for product_id in [*vectors, "bare"])
    made.learn_vectors({product_id: style_vector(known, DIMENSIONS) for product_id, known in vectors.items()})
    return made


@given(st.dictionaries(st.sampled_from([TEXT_FIELD, IMAGE_FIELD]), st.integers(0, 2**32 - 1)))
def test_a_style_vector_gives_back_what_it_was_made_of(seeds: dict[str, int]) -> None:
    drawn = {field: np.random.default_rng(seed).normal(size=DIMENSIONS[field]) for field, seed in seeds.items()}
    known = {field: (vector / np.linalg.norm(vector)).astype(np.float32) for field, vector in drawn.items()}
    found = parts(style_vector(known, DIMENSIONS), DIMENSIONS)
    assert found.keys() == known.keys()
    for field, vector in known.items():
        np.testing.assert_allclose(found[field], vector, rtol=1e-5, atol=1e-7)


def test_the_index_is_asked_only_for_what_is_not_held() -> None:
    index = Mock(vectors=Mock(return_value={"new": {TEXT_FIELD: TEXT}}))
    held = table(both={TEXT_FIELD: TEXT, IMAGE_FIELD: IMAGE}, text={TEXT_FIELD: TEXT})
    found = ProductVectors(index, held, DIMENSIONS).of(["both", "new", "bare", "text"])
    assert {product_id: sorted(known) for product_id, known in found.items()} == {
        "both": sorted([TEXT_FIELD, IMAGE_FIELD]),
        "text": [TEXT_FIELD],
        "new": [TEXT_FIELD],
    }
    index.vectors.assert_called_once_with(["new", "bare"])


def test_the_index_is_not_asked_where_all_is_held_and_for_all_where_nothing_is() -> None:
    index: Any = Mock(vectors=Mock(return_value={}))
    ProductVectors(index, table(a={TEXT_FIELD: TEXT}), DIMENSIONS).of(["a"])
    index.vectors.assert_not_called()
    assert ProductVectors(index, ProductTable([], []), DIMENSIONS).of(["a", "b"]) == {}
    index.vectors.assert_called_once_with(["a", "b"])
