"""Features of candidates, out of what shoppers did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.settings import ProfileSettings
from ranking.feature_settings import (
    AffinityFeature,
    ClosenessFeature,
    CoClickFeature,
    ContextFeature,
    Feature,
    HistoryFeature,
    ImpressionsFeature,
    LiftFeature,
    NumberFeature,
    PositionFeature,
    RateFeature,
    ScoreFeature,
    SeenFeature,
    SimilarityFeature,
)
from tests.unit.feedback.lists import HOUR, NOW, joined
from tests.unit.ranking.declared_features import Shop, order

ALL: tuple[Feature, ...] = (
    ScoreFeature(name="score"),
    PositionFeature(name="position"),
    NumberFeature(name="price", field="price", scale="log"),
    RateFeature(name="rate"),
    RateFeature(name="class_rate", of="query", action="purchase", half_life_hours=24),
    ContextFeature(name="daypart", of="daypart"),
    ContextFeature(name="place", of="place", action="purchase"),
    LiftFeature(name="lift"),
    ImpressionsFeature(name="impressions", half_life_hours=24),
    HistoryFeature(name="history"),
    SeenFeature(name="seen"),
    AffinityFeature(name="brand", field="brand"),
    AffinityFeature(name="session_brand", field="brand", of="session"),
    ClosenessFeature(name="closeness", field="price"),
    SimilarityFeature(name="similarity"),
    CoClickFeature(name="co_clicks"),
)
PRODUCTS = {
    "a": {"price": 10, "brand": "ada", "categories": ["lamps"]},
    "b": {"price": 20, "brand": "ada", "categories": ["lamps", "shades"]},
    "c": {"price": 30, "brand": "bob"},
    "d": {"price": 40, "brand": "bob"},
    "e": {"price": 50},
}
DIRECTIONS = {"a": (1.0, 0.0), "b": (0.8, 0.6), "c": (-1.0, 0.0), "d": (-0.8, 0.6), "e": (0.0, -1.0)}


def busy_shop(*features: Feature) -> Shop:
    shop = Shop(*features).sells(**PRODUCTS)
    shop.table.learn_vectors({name: np.array(vector, np.float32) for name, vector in DIRECTIONS.items()})
    return shop.saw(
        joined("q1", "abcde", ("click", "a", 1), ("click", "b", 2)),
        joined("q2", "cdeab", ("click", "a", 9), ("purchase", "a", 20), shopper="ben", session="s-2"),
        joined("q3", "dcb", ("click", "d", 5), shopper="cleo", session="s-3", text="desk"),
    )


def test_what_the_search_said_stands_as_it_was() -> None:
    values = Shop(ScoreFeature(name="score"), PositionFeature(name="position")).input("xy").values

    assert values.tolist() == [[1.0, 1.0], [0.5, 2.0]]


def test_a_number_may_be_a_logarithm_and_is_not_known_where_there_is_none() -> None:
    shop = Shop(NumberFeature(name="price", field="price", scale="log")).sells(a={"price": 9}, b={"price": -9}, c={})

    assert shop.column("abcx") == pytest.approx([np.log(10), 0, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize("price", [True, "many", None, float("inf"), 1e300, [3]])
def test_what_is_no_number_is_not_known(price: object) -> None:
    assert np.isnan(Shop(NumberFeature(name="price", field="price")).sells(a={"price": price}).column("a")).all()


def test_the_rate_of_a_product_that_nobody_saw_is_that_of_the_shop() -> None:
    shop = Shop(RateFeature(name="rate")).saw(joined("q", "abcd", ("click", "a", 1)))
    clicked, passed, never_seen = shop.column("abx")

    assert clicked > never_seen > passed
    assert never_seen == pytest.approx(np.log(0.25 / 0.75))


def test_a_rate_may_count_lists_of_the_same_query_only() -> None:
    shop = Shop(RateFeature(name="rate", of="query"))
    shop.saw(joined("q1", "ab", ("click", "a", 1)), joined("q2", "ab", ("click", "b", 1), text="desk"))

    assert order("ab", shop.column("ab", text="Lamp")) == "ab"
    assert order("ab", shop.column("ab", text="desk")) == "ba"


def test_a_rate_that_fades_forgets() -> None:
    shop = Shop(RateFeature(name="rate", half_life_hours=24))
    ago = 1000 * HOUR
    shop.saw(*[joined(f"old{n}", "ab", ("click", "a", 1 - ago), at=NOW - ago) for n in range(9)])
    shop.saw(joined("new", "ab", ("click", "b", 1)))

    assert order("ab", shop.column("ab")) == "ba"


CONTEXTS = {
    "daypart": ({"daypart": "morning"}, {"daypart": "evening"}, {"daypart": "night"}),
    "place": ({"place": "Ulm"}, {"place": "Bonn"}, {"place": "nowhere"}),
}


@pytest.mark.parametrize("of", CONTEXTS)
def test_opposite_clicks_in_two_contexts_give_opposite_orders(of: str) -> None:
    here, there, elsewhere = CONTEXTS[of]
    shop = Shop(ContextFeature(name="context", of=of))
    for number in range(9):
        shop.saw(joined(f"here{number}", "ab", ("click", "a", 1), context=here))
        shop.saw(joined(f"there{number}", "ab", ("click", "b", 1), context=there))

    assert order("axb", shop.column("axb", context=here)) == "axb"
    assert order("axb", shop.column("axb", context=there)) == "bxa"
    assert shop.column("axb", context=elsewhere) == shop.column("axb") == [0, 0, 0]


@pytest.mark.parametrize("of", CONTEXTS)
def test_a_product_that_is_clicked_less_where_all_is_clicked_less_is_as_usual(of: str) -> None:
    here, there, _ = CONTEXTS[of]
    shop, both = Shop(ContextFeature(name="context", of=of)), [("click", "a", 1.0), ("click", "b", 1.0)]
    shop.saw(*[joined(f"here{n}", "ab", *both if n < 20 else [], context=here) for n in range(100)])
    shop.saw(*[joined(f"there{n}", "ab", *both if n < 80 else [], context=there) for n in range(100)])

    assert [abs(lift) < 0.2 for lift in shop.column("ab", context=here)] == [True, True]


def test_a_context_without_a_prior_or_any_click_says_nothing() -> None:
    shop = Shop(ContextFeature(name="place", of="place"), settings=ProfileSettings(kind="memory", prior_impressions=0))

    assert shop.column("a", context={"place": "Ulm"}) == [0]
    shop.saw(joined("q", "ab", context={"place": "Ulm"}))
    assert shop.column("ab", context={"place": "Ulm"}) == [0, 0]


def test_a_half_life_with_which_nothing_fades_is_refused() -> None:
    with pytest.raises(ValueError, match=r"5 hours: add it to profiles\.half_lives_hours"):
        Shop(LiftFeature(name="lift", half_life_hours=5))


def test_a_lift_is_what_a_product_has_beyond_its_lists() -> None:
    """Whoever clicks on all lifts nothing."""
    shop = Shop(LiftFeature(name="lift"))
    shop.saw(joined("q1", "abcd", ("click", "a", 1)))
    shop.saw(joined("q2", "ef", ("click", "e", 1), ("click", "f", 1), shopper="ben"))
    clicked, passed, generous = shop.column("abe")

    assert passed < 0
    assert generous == 0
    assert clicked == pytest.approx((1 - 0.25) / (1 + 20))


def test_a_lift_without_a_prior_is_0_for_what_nobody_saw() -> None:
    shop = Shop(LiftFeature(name="lift"), settings=ProfileSettings(kind="memory", prior_impressions=0))

    assert shop.column("a") == [0]


def test_impressions_are_counted_in_logarithms() -> None:
    shop = Shop(ImpressionsFeature(name="seen")).saw(joined("q1", "ab"), joined("q2", "a"))

    assert shop.column("abx") == pytest.approx(np.log1p([2, 1, 0]))


def test_how_much_is_known_of_the_shopper_is_the_same_for_all_candidates() -> None:
    shop = Shop(HistoryFeature(name="known")).saw(joined("q", "abc", ("click", "a", 1), ("hide", "b", 2)))

    assert shop.column("xy") == pytest.approx([np.log(2)] * 2)
    assert shop.column("xy", shopper="ben") == [0, 0]


def test_what_was_acted_upon_is_told_from_what_was_passed_over_and_from_what_was_not_seen() -> None:
    shop = Shop(SeenFeature(name="seen")).saw(joined("q", "ab", ("click", "a", 1)))
    acted_upon, passed_over, unseen = shop.column("abx")

    assert acted_upon > 0.9
    assert passed_over < -0.9
    assert unseen == 0
    assert shop.column("aab")[:2] == [acted_upon, acted_upon]


def test_a_taste_outlives_looking_around() -> None:
    tastes = []
    for visitor in ("ann", "somebody else"):
        shop = Shop(AffinityFeature(name="brand", field="brand")).sells(**PRODUCTS)
        shop.saw(joined("q", "abcde", ("click", "a", 1)))
        around = [joined(f"around-{n}", "abcdefghijklmnopqrstuvw", shopper=visitor, at=NOW + n) for n in range(2, 42)]
        tastes.append(shop.saw(*around).column("a"))

    assert tastes[0] == tastes[1] != [0]


def test_what_was_seen_fades() -> None:
    shop = Shop(SeenFeature(name="seen", half_life_hours=1)).saw(joined("q", "ab", ("click", "a", 0)))

    assert shop.column("a", at=NOW + 3 * HOUR) == pytest.approx([1 / 8])


def test_several_acts_upon_one_product_in_one_list_count_once() -> None:
    once = Shop(SeenFeature(name="seen")).saw(joined("q", "ab", ("click", "a", 9)))
    often = Shop(SeenFeature(name="seen")).saw(joined("q", "ab", ("click", "a", 1), ("add_to_cart", "a", 9)))

    assert often.column("a") == once.column("a")


def test_values_of_what_was_clicked_are_liked_and_those_of_what_was_passed_over_are_not() -> None:
    shop = busy_shop(AffinityFeature(name="brand", field="brand"))
    liked, disliked, none, unknown = shop.column("acex")

    assert liked > 0 > disliked
    assert np.isnan([none, unknown]).all()
    assert shop.column("ac", shopper="nobody") == [0, 0]


def test_taste_may_be_the_share_of_what_was_acted_upon() -> None:
    shop = busy_shop(AffinityFeature(name="brand", field="brand", learns_from="actions"))

    assert shop.column("ac") == pytest.approx([1, 0], abs=0.01)
    assert shop.column("ac", shopper="cleo") == pytest.approx([0, 1], abs=0.01)


def test_a_value_that_nobody_in_the_history_has_is_neither_liked_nor_not() -> None:
    shop = busy_shop(AffinityFeature(name="brand", field="brand")).sells(n={"brand": "new"})

    assert shop.column("n") == [0]


def test_the_session_has_a_taste_of_its_own() -> None:
    shop = Shop(AffinityFeature(name="brand", field="brand", of="session")).sells(**PRODUCTS)
    shop.saw(joined("q1", "ac", ("click", "a", 1)), joined("q2", "ac", ("click", "c", 99), session="s-2"))

    assert order("ac", shop.column("ac", session="s-1")) == "ac"
    assert order("ac", shop.column("ac", session="s-2")) == "ca"
    assert shop.column("ac", session="another") == shop.column("ac") == [0, 0]


@pytest.mark.parametrize("clicks", ["", "abcde"])
def test_a_list_of_which_all_or_nothing_was_clicked_says_nothing_of_taste(clicks: str) -> None:
    shop = Shop(AffinityFeature(name="brand", field="brand")).sells(**PRODUCTS)
    shop.saw(joined("q", "abcde", *[("click", product, 1.0) for product in clicks]))

    assert shop.column("ac") == [0, 0]


def test_a_click_upon_what_everybody_clicks_says_less_of_taste() -> None:
    shop = Shop(AffinityFeature(name="brand", field="brand")).sells(p={"brand": "popular"}, r={"brand": "rare"}, z={})
    shop.saw(*[joined(f"o{n}", "prz", ("click", "p", 1), shopper=f"other{n}") for n in range(50)])
    shop.saw(joined("q1", "pz", ("click", "p", 1)), joined("q2", "rz", ("click", "r", 1)))

    assert order("pr", shop.column("pr")) == "rp"


def test_whoever_clicks_on_what_is_dear_likes_what_is_dear() -> None:
    shop = Shop(ClosenessFeature(name="price", field="price")).sells(**PRODUCTS, x={})
    shop.saw(joined("q", "abcde", ("click", "d", 1), ("click", "e", 1)))

    assert order("abcde", shop.column("abcde")) == "edcba"
    assert np.isnan(shop.column("x")).all()


def test_what_is_like_what_was_clicked_is_liked() -> None:
    shop = busy_shop(SimilarityFeature(name="like"))
    near, far = shop.column("bd")

    assert near > 0 > far
    assert Shop(SimilarityFeature(name="like")).saw(joined("q", "ab", ("click", "a", 1))).column("ab") == [0, 0]


def test_what_others_clicked_beside_what_was_clicked_last() -> None:
    shop = Shop(CoClickFeature(name="beside"))
    shop.saw(joined("q1", "abc", ("click", "a", 1), ("click", "b", 2), shopper="ben"))
    shop.saw(joined("q2", "ac", ("click", "a", 1)))
    together, apart = shop.column("bc")

    assert together > apart == 0
    assert shop.column("bb") == [together, together]
    assert shop.column("b", shopper="nobody") == [0]


def test_a_history_is_newest_first_whatever_was_done() -> None:
    shop = busy_shop(*ALL)
    shop.saw(joined("q9", "ec", ("click", "c", 1000), at=NOW + 999))
    seen = shop.input("a", at=NOW + 2000)

    assert seen.recent[:2].tolist() == [pytest.approx(DIRECTIONS["c"]), pytest.approx(DIRECTIONS["e"])]
    assert seen.recent_weights[0] > 0 > seen.recent_weights[1]
    assert len(seen.recent) == len(seen.recent_weights) == 7


@pytest.mark.parametrize(("items", "newest"), [(1, "b"), (2, "ab"), (3, "abd"), (9, "abcde")])
def test_features_learn_from_the_newest_products_alone(items: int, newest: str) -> None:
    settings = ProfileSettings(kind="memory", history_items=items)
    shop = Shop(SeenFeature(name="seen"), settings=settings)
    shop.saw(
        joined("q1", "ce", ("click", "c", -9), at=NOW - 10),
        joined("q2", "abd", ("click", "a", 5), ("dwell", "c", 6), ("click", "b", 7)),
    )
    seen = shop.input("abcde")
    assert len(seen.recent_weights) == len(newest)
    assert {product for product, value in zip("abcde", seen.values[:, 0], strict=True) if value != 0} == set(newest)


def test_what_was_bought_or_hidden_is_told() -> None:
    shop = Shop(*ALL).saw(joined("q", "abc", ("purchase", "a", 1), ("hide", "b", 2)))
    seen = shop.input("c")

    assert set(seen.bought) == {"a"}
    assert set(seen.hidden) == {"b"}


@pytest.mark.parametrize("products", ["", "a", "x", "xyz"])
def test_there_may_be_few_candidates_and_unknown_ones(products: str) -> None:
    for shopper in ("ann", "nobody", ""):
        seen = busy_shop(*ALL).input(products, shopper)
        assert seen.values.shape == (len(products), len(ALL))
        assert seen.vectors.shape == (len(products), 2)


@given(st.permutations("abcdex"))
def test_candidates_in_another_order_have_the_same_values(products: list[str]) -> None:
    """All but the place and the score, which say where they stood."""
    values = dict(zip("abcdex", BUSY.input("abcdex").values[:, 2:], strict=True))
    permuted = BUSY.input("".join(products)).values[:, 2:]

    np.testing.assert_allclose(permuted, [values[product] for product in products], rtol=1e-6)


def test_an_input_stays_what_it_was() -> None:
    shop = busy_shop(*ALL)
    before = shop.input("abcde")
    kept = before.values.copy(), before.vectors.copy(), before.recent.copy(), set(before.bought)
    shop.saw(joined("later", "abcde", ("purchase", "e", 100), at=NOW + 90)).sells(a={"brand": "bob", "price": 99})
    shop.table.learn_vectors({"a": np.array([0, 1], np.float32)})

    for array, then in zip((before.values, before.vectors, before.recent), kept, strict=False):
        np.testing.assert_array_equal(array, then)
    assert set(before.bought) == kept[3]
    assert not np.array_equal(shop.input("abcde").values, before.values, equal_nan=True)


BUSY = busy_shop(*ALL)
