"""How the matches are counted by what they have."""

from ranking.facets import Facet, FacetValue, count_facet


def counts(facet: Facet) -> list[tuple[object, int]]:
    return [(value.value, value.count) for value in facet.values]


def test_values_are_counted_once_a_product_the_most_frequent_first() -> None:
    documents = [{"categories": ["Shoes", "Sale"]}, {"categories": ["Sale", "Sale"]}, {"categories": ["Bags"]}, {}]

    assert counts(count_facet("categories", documents, exact=True)) == [("Sale", 2), ("Bags", 1), ("Shoes", 1)]


def test_a_truth_value_is_no_number_and_a_number_no_text() -> None:
    documents = [{"attributes": {"a": value}} for value in (True, 1, 1.0, "1")]

    found = count_facet("attributes.a", documents, exact=True).values

    assert [(type(one.value), one.count) for one in found] == [(int, 2), (str, 1), (bool, 1)]


def test_of_a_price_there_is_the_range_of_those_that_have_one() -> None:
    facet = count_facet("price", [{"price": 20}, {"price": 5.5}, {}], exact=False)

    assert facet == Facet("price", (), False, 5.5, 20.0)
    assert count_facet("price", [{}], exact=True) == Facet("price", (), True)


def test_only_the_fifty_most_frequent_values_are_told() -> None:
    documents = [{"brand": f"brand {number}"} for number in range(60)] + [{"brand": "big"}] * 2

    values = count_facet("brand", documents, exact=True).values

    assert (len(values), values[0]) == (50, FacetValue("big", 2))
