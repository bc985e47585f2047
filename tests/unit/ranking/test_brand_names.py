"""Known brands in the words of a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.brand_names import BrandNames

NAMES = [
    "Under Armour",
    "Under",
    "Sony",
    "L'Oréal",
    "L'Oréal Paris",
    "H&M",
    "华为",
    "美的",
    "Dr. Martens",
    "Bosch",
    "-",
]
BRANDS = BrandNames(NAMES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *(("under armour shoes", ("Under Armour",)), ("under desk", ("Under",)), ("armour under", ("Under",))),
        *(("SONY wh-1000xm4", ("Sony",)), ("l'oreal paris shampoo", ("L'Oréal Paris",)), ("h & m dress", ("H&M",))),
        *(("华为p40手机壳", ("华为",)), ("买美的空调", ("美的",)), ("完美的礼物", ()), ("iPhone华为充电器", ("华为",))),
        *(("dr martens boots bosch", ("Dr. Martens", "Bosch")), ("bosch bosch", ("Bosch",)), ("sonya", ()), ("", ())),
    ],
)
def test_brands_are_found_as_whole_words_the_longest_first(text: str, found: tuple[str, ...]) -> None:
    assert BRANDS.find(text) == found


def test_each_spelling_of_the_shop_is_given() -> None:
    assert BrandNames(["Sony", "SONY", "Sony"]).find("sony tv") == ("Sony", "SONY")


def test_brands_can_be_added() -> None:
    brands = BrandNames(["Under"])
    brands.add(["Under Armour", "Under"])
    assert brands.find("under armour under") == ("Under Armour", "Under")


@given(st.text())
def test_any_text_can_be_looked_up(text: str) -> None:
    assert set(BRANDS.find(text)) <= set(NAMES)


@given(st.sampled_from(NAMES[:-1]), st.sampled_from(["", "red dress ", "12 "]), st.sampled_from(["", " shoes", ", 4"]))
def test_a_brand_among_other_words_is_found(name: str, before: str, after: str) -> None:
    assert BRANDS.find(before + name.upper() + after) == (name,)
