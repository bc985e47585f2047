"""Filters that no product can satisfy, said in sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.base import Filter, IndexRefused
from index.filters import matcher
from ranking.contradictions import contradictions


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (
            [Filter("price", at_most=20), Filter("price", at_least=50.5)],
            "price cannot be at least 50.5 and at most 20 at once",
        ),
        (
            [Filter("price", at_least=1234567.89, at_most=20)],
            "price cannot be at least 1234567.89 and at most 20 at once",
        ),
        ([Filter("brand", any_of=("A",)), Filter("brand", any_of=("B", "C"))], "brand cannot be A and B or C at once"),
        (
            [Filter("rating", any_of=(3.0,)), Filter("rating", at_least=4)],
            "rating cannot be 3.0 and at least 4 at once",
        ),
        (
            [Filter("attributes.width", at_least=5), Filter("attributes.width", any_of=("wide",))],
            "width cannot be wide and at least 5 at once",
        ),
        (
            [Filter("brand", any_of=tuple("ABCDEFG")), Filter("brand", any_of=("X",))],
            "brand cannot be A or B or C or D or E or 2 others and X at once",
        ),
    ],
)
def test_what_can_never_hold_is_said(filters: list[Filter], sentence: str) -> None:
    assert contradictions([Filter("currency", any_of=("EUR",)), *filters]) == [sentence]


@pytest.mark.parametrize(
    "filters",
    [
        [],
        [Filter("price", at_most=20), Filter("price", at_least=20)],
        [Filter("brand", any_of=("A", "B")), Filter("brand", any_of=("B", "C"))],
        [Filter("categories", any_of=("A",)), Filter("categories", any_of=("B",))],
        [Filter("attributes.colour", any_of=("red",)), Filter("attributes.colour", any_of=("blue",))],
        [Filter("price", at_most=20), Filter("rating", at_least=50)],
    ],
)
def test_what_some_product_could_satisfy_is_no_contradiction(filters: list[Filter]) -> None:
    assert contradictions(filters) == []


def test_a_filter_that_is_none_is_refused() -> None:
    with pytest.raises(IndexRefused):
        contradictions([Filter("price"), Filter("price", any_of=("cheap",))])


NUMBERS = st.sampled_from([1.0, 2.0, 3.0])
ON_RATING = st.one_of(
    st.builds(Filter, st.just("rating"), any_of=st.tuples(NUMBERS, NUMBERS)),
    st.builds(Filter, st.just("rating"), at_least=NUMBERS, at_most=st.none() | NUMBERS),
)


@given(st.lists(ON_RATING, max_size=4))
def test_filters_contradict_each_other_exactly_where_no_value_satisfies_all(filters: list[Filter]) -> None:
    matchers = [matcher(condition) for condition in filters]
    possible = any(all(matches({"rating": value}) for matches in matchers) for value in (1.0, 2.0, 3.0))
    assert (contradictions(filters) == []) == possible
